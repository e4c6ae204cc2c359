"""The OpenAPI document of ops."""

from fastapi import FastAPI

from services.ops.lag.api import router as lag_router
from services.ops.views.api import router as views_router


def test_every_operation_has_a_tag_and_a_description() -> None:
    """Each operation for programs has a tag and a description."""
    app = FastAPI()
    app.include_router(lag_router)
    app.include_router(views_router)
    operations = {path: operation["get"] for path, operation in app.openapi()["paths"].items()}
    assert operations.keys() == {"/lag", "/views/arrivals", "/views/stages", "/views/messages"}
    assert all(operation["tags"] and operation["description"] for operation in operations.values())
