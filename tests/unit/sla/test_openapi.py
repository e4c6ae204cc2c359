"""The OpenAPI document of sla's routes."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from services.sla.calendars.api import routes as calendar_routes
from services.sla.clocks.api import routes as clock_routes
from services.sla.explanations.api import routes as explanation_routes
from services.sla.reports.api import routes as report_routes
from shared.service import problems


def _arrays(node: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        if node.get("type") == "array":
            yield at, node
        for name, child in node.items():
            yield from _arrays(child, f"{at}/{name}")
    elif isinstance(node, list):
        for place, child in enumerate(node):
            yield from _arrays(child, f"{at}/{place}")


def test_every_array_schema_has_items() -> None:
    """An array schema without `items` is invalid in OpenAPI 3.0, and linters report it in 3.1."""
    app = FastAPI(responses={"default": problems.DESCRIBED})
    for routes in (clock_routes, explanation_routes, calendar_routes, report_routes):
        app.include_router(routes)
    arrays = dict(_arrays(app.openapi()))
    assert len(arrays) > 10
    assert [at for at, schema in arrays.items() if "items" not in schema] == []
