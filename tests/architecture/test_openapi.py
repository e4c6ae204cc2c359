"""The OpenAPI documents satisfy the errors and the description rules of Spectral's `oas` ruleset, checked in Python."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.architecture.openapi_documents import documents
from tests.architecture.tree import SERVICES


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each operation with its method and path."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def schemas(part: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of the document with its place."""
    if isinstance(part, dict):
        yield at, part
    children = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in children:
        yield from schemas(value, f"{at}/{key}")


@pytest.mark.parametrize("service", SERVICES)
def test_service_has_a_title_and_a_description(service: str) -> None:
    """The document has a title, a version and a description."""
    info = documents()[service]["info"]
    assert all(info.get(member) for member in ("title", "version", "description")), info


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_has_one_defined_tag(service: str) -> None:
    """Each operation has one tag, and each tag is defined once, with a description."""
    document = documents()[service]
    tags = [tag["name"] for tag in document["tags"]]
    assert len(tags) == len(set(tags))
    assert [tag["name"] for tag in document["tags"] if not tag["description"]] == []
    assert [at for at, operation in operations(document) if len(operation.get("tags", ())) != 1] == []
    assert {tag for _, operation in operations(document) for tag in operation["tags"]} == set(tags)


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_described(service: str) -> None:
    """Each operation has a description, which is the docstring of its function."""
    assert [at for at, operation in operations(documents()[service]) if not operation.get("description")] == []


@pytest.mark.parametrize("service", SERVICES)
def test_operation_ids_are_unique(service: str) -> None:
    """Each operation has an id of its own."""
    ids = [operation["operationId"] for _, operation in operations(documents()[service])]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("service", SERVICES)
def test_array_schema_has_items(service: str) -> None:
    """Each schema of type array has `items`, as Spectral's rule array-items demands."""
    document = documents()[service]
    assert [at for at, part in schemas(document) if part.get("type") == "array" and not part.get("items")] == []


@pytest.mark.parametrize("service", SERVICES)
def test_references_are_resolved(service: str) -> None:
    """Each local reference has a target."""
    document = documents()[service]
    names = document["components"]["schemas"].keys()
    references = {str(part["$ref"]) for _, part in schemas(document) if isinstance(part.get("$ref"), str)}
    assert [one for one in references if one.removeprefix("#/components/schemas/") not in names] == []


@pytest.mark.parametrize("service", SERVICES)
def test_path_parameters_are_declared(service: str) -> None:
    """Each name in braces of a path is a required path parameter of its operations, and no other is."""
    for at, operation in operations(documents()[service]):
        declared = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path" and one["required"]}
        assert declared == {part[1:-1] for part in at.split("/") if part.startswith("{")}, at
