"""What OpenAPI documents contain besides paths: a description of the service, and one tag per feature."""

import inspect
from collections.abc import Iterable, Mapping

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

DESCRIPTIONS: Mapping[str, str] = {
    "intake": "Receives dossiers of a public administrative centre, and records every act on them.",
    "routing": "Assigns each dossier to a receiving place and a competent department, and runs the general counter.",
    "sla": "Derives due dates from working calendars, and explains, moves and supervises them.",
    "notify": "Plans and sends messages to applicants, and records what became of them.",
    "ops": "Shows lag, throughput and live counts of the whole centre.",
}


def include_routers(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Add the routes of each router to `app`, tagged with the router's feature.

    The tag is the folder of the module that defines the routes (`services.intake.dossiers.api`: dossiers), or the first
    part of its name (`clock_api`: clock). Its description is the module's docstring.
    """
    tags = {tag["name"]: tag for tag in app.openapi_tags or []}
    for router in routers:
        name, description = _feature(router)
        tags.setdefault(name, {"name": name, "description": description})
        app.include_router(router, tags=[] if name in router.tags else [name])
    app.openapi_tags = list(tags.values())


def _feature(router: APIRouter) -> tuple[str, str]:
    route = next(route for route in router.routes if isinstance(route, APIRoute))
    module = inspect.getmodule(route.endpoint)
    assert module is not None, "routes are functions of a module"
    *_, folder, name = module.__name__.split(".")
    tag = str(router.tags[0]) if router.tags else folder if name == "api" else name.removesuffix("_api")
    return tag, (inspect.getdoc(module) or "").split("\n\n")[0].replace("\n", " ")
