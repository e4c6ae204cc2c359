"""JSON schemas of what travels, and what a change of them would break.

Old records stay on Kafka for ever and old readers run beside new writers, so within one version a schema only grows:
new fields are optional, new words may join an open list, all else stays as it is. Anything more is a new version.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from shared.contracts.envelope import EventData, EventEnvelope
from shared.contracts.topics import TOPICS

Schema = dict[str, Any]

_WORDS_FOR_PEOPLE = ("title", "description", "examples")


def data_schema(event: type[EventData]) -> Schema:
    """What a reader accepts as the `data` of this event; self-contained."""
    return inlined(event.model_json_schema())


def envelope_schema() -> Schema:
    """The attributes around every event's data."""
    schema = inlined(EventEnvelope[EventData].model_json_schema())
    del schema["properties"]["data"]
    schema["required"].remove("data")
    return schema | {"title": "Envelope"}


def snapshot(event: type[EventData]) -> Schema:
    """What is frozen of an event: its place and its shape, without the words for people."""
    return {
        "type": event.TYPE,
        "version": event.VERSION,
        "topic": event.TOPIC,
        "key": TOPICS[event.TOPIC].key,
        "data": shape(data_schema(event)),
    }


def inlined(schema: Schema) -> Schema:
    """The schema with every reference replaced by what it names; contracts are trees, so this ends."""
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
    """The schema without titles and descriptions, which may change at any time. Field names are kept whatever they
    are: a field may be called `description`."""
    if isinstance(schema, list):
        return [shape(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: shape(field) for name, field in value.items()} if key == "properties" else shape(value)
        for key, value in schema.items()
        if key not in _WORDS_FOR_PEOPLE
    }


def breaks(old: Mapping[str, Any], new: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """Each change from `old` to `new` (shapes of one version) that old records or old readers could not bear."""
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
            yield f"{at}: the word {word} is gone"
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
            yield f"{at}/{name}: the field is gone"
            continue
        yield from breaks(before[name], after[name], f"{at}/{name}")
        if name in needed_after - needed_before:
            yield f"{at}/{name}: became required, old records lack it"
        if name in needed_before - needed_after:
            yield f"{at}/{name}: became optional, old readers need it"
    for name in after:
        if name not in before and name in needed_after:
            yield f"{at}/{name}: a new field must be optional with a default"
