"""JSON schemas of events, and the compatibility check for their changes.

Old records stay on Kafka permanently, and old readers run next to new writers. So within one version of an event, only
optional fields and words of open enumerations may be added. Any other change needs a new version.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from shared.contracts.envelope import EventData, EventEnvelope
from shared.contracts.topics import TOPICS

Schema = dict[str, Any]

_ANNOTATIONS = ("title", "description", "examples")


def data_schema(event: type[EventData]) -> Schema:
    """Return the JSON schema of an event's `data` as readers accept it, with every reference replaced by its target."""
    return inlined(event.model_json_schema())


def envelope_schema() -> Schema:
    """Return the JSON schema of the envelope, without `data`."""
    schema = inlined(EventEnvelope[EventData].model_json_schema())
    del schema["properties"]["data"]
    schema["required"].remove("data")
    return schema | {"title": "Envelope"}


def snapshot(event: type[EventData]) -> Schema:
    """Return what is frozen for one version of an event: type, version, topic, key and the shape of its data."""
    return {
        "type": event.TYPE,
        "version": event.VERSION,
        "topic": event.TOPIC,
        "key": TOPICS[event.TOPIC].key,
        "data": shape(data_schema(event)),
    }


def inlined(schema: Schema) -> Schema:
    """Return a copy of a schema with every reference replaced by its target. Contracts are not recursive."""
    definitions = schema.get("$defs", {})

    def resolve(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                target = definitions[part["$ref"].rsplit("/", 1)[1]]
                return resolve(target | {key: value for key, value in part.items() if key != "$ref"})
            return {key: resolve(value) for key, value in part.items() if key != "$defs"}
        return [resolve(item) for item in part] if isinstance(part, list) else part

    resolved: Schema = resolve(copy.deepcopy(schema))
    return resolved


def shape(schema: Any) -> Any:
    """Return a copy of a schema without titles, descriptions and examples, which may change at any time.

    The names of fields are retained, even if a field is named `description`.
    """
    if isinstance(schema, list):
        return [shape(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: shape(field) for name, field in value.items()} if key == "properties" else shape(value)
        for key, value in schema.items()
        if key not in _ANNOTATIONS
    }


def breaks(old: Mapping[str, Any], new: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Yield a sentence for each incompatible change from the shape `old` to `new`, with its place; none if compatible.

    Both are shapes of one version of an event. A change is incompatible if new readers would reject old records, or old
    readers would reject new ones. `at` is the place of the shapes within the whole.
    """
    for key in sorted({*old, *new} - {"properties", "required", "x-extensible-enum"}):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from breaks(before, after, f"{at}/{key}")
        elif _are_alternatives(before, after):
            for number, (one, other) in enumerate(zip(before or (), after or (), strict=True)):
                yield from breaks(one, other, f"{at}/{key}/{number}")
        elif before != after:
            yield f"{at or '/'}: {key} was {before}, is {after}"
    for word in old.get("x-extensible-enum", ()):
        if word not in new.get("x-extensible-enum", ()):
            yield f"{at}: the word {word} is removed"
    yield from _broken_fields(old, new, at)


def _are_alternatives(before: Any, after: Any) -> bool:
    return (
        isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
        and all(isinstance(item, Mapping) for item in (*before, *after))
    )


def _broken_fields(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> Iterator[str]:
    before: Mapping[str, Any] = old.get("properties", {})
    after: Mapping[str, Any] = new.get("properties", {})
    needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
    for name in before:
        if name not in after:
            yield f"{at}/{name}: the field is removed"
            continue
        yield from breaks(before[name], after[name], f"{at}/{name}")
        if name in needed_after - needed_before:
            yield f"{at}/{name}: became required, but old records lack it"
        if name in needed_before - needed_after:
            yield f"{at}/{name}: became optional, but old readers need it"
    for name in after:
        if name not in before and name in needed_after:
            yield f"{at}/{name}: a new field must be optional with a default"
