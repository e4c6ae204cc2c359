"""OpenAPI documents: a description of each service, one tag per feature, and schemas that every tool accepts."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

DESCRIPTIONS: Mapping[str, str] = {
    "intake": "Receives dossiers of a public administrative centre, and records every act on them.",
    "routing": "Assigns each dossier to a receiving place and a competent department, and runs the general counter.",
    "sla": "Derives due dates from working calendars, and explains, moves and monitors them.",
    "notify": "Plans and sends messages to applicants, and records their outcome.",
    "ops": "Shows lag, throughput and live counts of the whole centre.",
}


class DescribedApp(FastAPI):
    """A FastAPI application whose OpenAPI document has `items` in every array schema, which some tools require."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, which is built at the first call."""
        if self.openapi_schema is None:
            _add_items(super().openapi())
        assert self.openapi_schema is not None, "FastAPI stores the document that it builds"
        return self.openapi_schema


def include_routers(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Add the routes of each router to `app`, tagged with the router's feature.

    The tag is the folder of the module that defines the routes (`services.intake.dossiers.api`: dossiers), or the first
    part of its name (`clock_api`: clock). Its description is the first paragraph of the module's docstring.
    """
    tags = {tag["name"]: tag for tag in app.openapi_tags or []}
    for router in routers:
        routes = [route for route in router.routes if isinstance(route, APIRoute)]
        name, description = _feature(router, routes[0])
        if any(route.include_in_schema for route in routes):
            tags.setdefault(name, {"name": name, "description": description})
        app.include_router(router, tags=[] if name in router.tags else [name])
    app.openapi_tags = list(tags.values())


def _feature(router: APIRouter, route: APIRoute) -> tuple[str, str]:
    module = inspect.getmodule(route.endpoint)
    assert module is not None, "routes are functions of a module"
    *_, folder, name = module.__name__.split(".")
    tag = str(router.tags[0]) if router.tags else folder if name == "api" else name.removesuffix("_api")
    return tag, (inspect.getdoc(module) or "").split("\n\n")[0].replace("\n", " ")


def _add_items(part: Any) -> None:
    """Add `items` to the schemas of tuples within `part`, in place.

    The added `items` allow nothing more, since `maxItems` excludes further elements.
    """
    if isinstance(part, dict):
        if "prefixItems" in part:
            part.setdefault("items", part["prefixItems"][0])
        for value in part.values():
            _add_items(value)
    elif isinstance(part, list):
        for value in part:
            _add_items(value)
