"""HTTP surface of each service: its routers are built with mocked dependencies and described as OpenAPI."""

import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from tests.architecture.surface.names import members
from tests.architecture.surface.untyped import UNTYPED
from tests.architecture.tree import ROOT, SERVICES, names, sources

WITHOUT_CLOCK = {"ops"}
"""Services without the routers of `shared`, which read and set the centre's clock."""


def collect() -> Iterator[str]:
    """Yield operations, parameters, bodies and responses of every service and of the SMS provider's simulator."""
    found: dict[str, Any] = {}
    for service in SERVICES:
        app: FastAPI = next(built("shared", FastAPI))
        folders = [f"services/{service}", "shared"] if service not in WITHOUT_CLOCK else [f"services/{service}"]
        for router in (one for folder in folders for one in built(folder, APIRouter)):
            _describe_all(router)
            app.include_router(router)
        found[service] = described(app)
    found["sms-sink"] = described(next(built("motcua", FastAPI)))
    for name, document in found.items():
        yield from lines_of(name, document)


def described(app: FastAPI) -> dict[str, Any]:
    """Return the application's OpenAPI document, including the routes that `/openapi.json` omits."""
    app.title = "any"  # create_app received a mock
    _describe_all(app.router)
    return app.openapi()


def _describe_all(router: APIRouter) -> None:
    router.include_in_schema = True
    for route in router.routes:
        if isinstance(route, APIRoute):
            route.include_in_schema = True


def lines_of(service: str, document: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of one OpenAPI document."""
    schemas = document.get("components", {}).get("schemas", {})
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            at = f"{service} {method.upper()} {path}"
            yield at
            if operation.get("security"):
                yield f"{at} bearer"
            for parameter in operation.get("parameters", ()):
                yield from _parameter(at, parameter, schemas)
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                yield from _content(f"{at} body", media_type, content, schemas, request=True)
            for status, answer in operation["responses"].items():
                if status not in ("default", "422"):  # the problem document (problems.py), and the framework's own
                    yield f"{at} {status}"
                    for media_type, content in answer.get("content", {}).items():
                        yield from _content(f"{at} {status}", media_type, content, schemas)
                    if described := UNTYPED.get(f"{method.upper()} {path} {status}"):
                        yield from (f"{at} {status} {member}" for member in described())


def _parameter(at: str, parameter: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    place, schema = f"{at} {parameter['in']} {parameter['name']}", parameter["schema"]
    default = schema.get("default")
    if default not in (None, ""):
        yield f"{place} default {default}"
    else:
        yield f"{place} required" if parameter.get("required") and parameter["in"] != "path" else place
    yield from members(schema, place, definitions=schemas)


def _content(
    at: str, media_type: str, content: dict[str, Any], schemas: dict[str, Any], *, request: bool = False
) -> Iterator[str]:
    if media_type != "application/json":
        yield f"{at} {media_type}"
    yield from members(content.get("schema", {}), f"{at} ", definitions=schemas, request=request)


def built(folder: str, kind: type[Any]) -> Iterator[Any]:
    """Yield every router or application that modules below a folder define, or build from mocked arguments."""
    for path in sources(folder):
        if {kind.__name__} & names(path):
            for thing in vars(_module(path)).values():
                if isinstance(thing, kind):
                    yield thing
                elif inspect.isfunction(thing) and thing.__module__ == _module(path).__name__:
                    signature = inspect.signature(thing)
                    if signature.return_annotation in (kind, kind.__name__):
                        needed = [one for one in signature.parameters.values() if one.default is one.empty]
                        yield thing(
                            *(MagicMock() for one in needed if one.kind is not one.KEYWORD_ONLY),
                            **{one.name: MagicMock() for one in needed if one.kind is one.KEYWORD_ONLY},
                        )


@cache
def _module(path: Path) -> Any:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return importlib.import_module(".".join(part for part in parts if part != "__init__"))
