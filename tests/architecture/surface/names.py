"""Member names of a JSON schema or value, flattened to paths such as `.dossiers[].code`. Class names do not count."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]


def members(schema: Schema, at: str = "", *, definitions: Schema | None = None, request: bool = False) -> Iterator[str]:
    """Yield the members and enumerated values that `schema` describes, each as `at` and its path.

    A reference is resolved in `definitions` (default: the schema's own `$defs`) by the last part of its name.
    In a request, a required member is marked `required`.
    """
    known = schema.get("$defs", {}) if definitions is None else definitions
    yield from sorted(set(_members(schema, at, known, request, ())))


def _members(schema: Schema, at: str, known: Schema, request: bool, above: Sequence[str]) -> Iterator[str]:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        if name not in above:  # a recursive schema is described once
            yield from _members(known[name], at, known, request, (*above, name))
        return
    alternatives = [one for kind in ("anyOf", "oneOf", "allOf") for one in schema.get(kind, ())]
    alternatives = [one for one in alternatives if one.get("type") != "null"]
    for one in alternatives:  # with several alternatives, no member is required
        yield from _members(one, at, known, request and len(alternatives) == 1, above)
    values = [*schema.get("enum", ()), *schema.get("x-extensible-enum", ())]
    for value in [*values, schema["const"]] if "const" in schema else values:
        yield f"{at} = {value}"
    for name, member in schema.get("properties", {}).items():
        required = request and name in schema.get("required", ())
        yield f"{at}.{name} required" if required else f"{at}.{name}"
        yield from _members(member, f"{at}.{name}", known, request, above)
    for entry in (schema.get("items"), *schema.get("prefixItems", ())):
        if entry:
            yield from _members(entry, f"{at}[]", known, request, above)
    if isinstance(others := schema.get("additionalProperties"), Mapping):
        yield from _members(others, f"{at}{{}}", known, request, above)


def in_value(value: Any, at: str = "") -> Iterator[str]:
    """Yield the path of each member of a JSON value."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield f"{at}.{name}"
            yield from in_value(member, f"{at}.{name}")
    elif isinstance(value, list):
        for entry in value:
            yield from in_value(entry, f"{at}[]")
