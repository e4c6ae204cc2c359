"""Every event type and version that this release knows, and how bytes become facts."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from shared.contracts import assignments, calendars, deadlines, dossiers, messages
from shared.contracts.envelope import AnyFact, EventData, Fact, schema_uri
from shared.kernel.errors import MotcuaError, PoisonMessageError

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Rewrites the `data` of one version as the next version's."""


class UpgradeNeededError(MotcuaError):
    """A record has a newer version of a known event type: this release must be upgraded before it reads on."""


def _concrete(base: type[EventData]) -> list[type[EventData]]:
    found = [] if "TYPE" not in vars(base) else [base]
    for child in base.__subclasses__():
        found += _concrete(child)
    return found


_MODULES = (assignments, calendars, deadlines, dossiers, messages)  # imported so that every event class exists

EVENTS: Mapping[str, type[EventData]] = {
    event.TYPE: event for event in _concrete(EventData) if event.__module__ in {module.__name__ for module in _MODULES}
}
"""The newest version of each event type."""

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
"""From (type, old version); applied one after the other up to the newest."""

FACTS: Mapping[str, type[AnyFact]] = {name: Fact[event] for name, event in EVENTS.items()}  # type: ignore[valid-type]
"""The model of each event type with its envelope."""


def decode(event_type: str, version: int, value: bytes) -> AnyFact:
    """The fact in a record's value, upcast to the newest version of its type.

    Raises UpgradeNeededError for a version from the future and PoisonMessageError for bytes that are not that fact.
    """
    event = EVENTS[event_type]
    if version > event.VERSION:
        raise UpgradeNeededError(
            f"{event_type} arrived in version {version}; this release reads up to {event.VERSION}: upgrade me"
        )
    try:
        if version == event.VERSION:
            fact = FACTS[event_type].model_validate_json(value)
        else:
            fact = FACTS[event_type].model_validate(_upcast(event_type, version, json.loads(value)))
    except (ValidationError, ValueError, KeyError, RecursionError) as error:
        raise PoisonMessageError(f"not a {event_type} version {version}: {error}") from error
    if fact.type != event_type:
        raise PoisonMessageError(f"the header says {event_type}, the value {fact.type}")
    return fact


def _upcast(event_type: str, version: int, document: dict[str, Any]) -> dict[str, Any]:
    newest = EVENTS[event_type].VERSION
    data = document["data"]
    for old in range(version, newest):
        data = UPCASTERS[event_type, old](data)
    return document | {"data": data, "dataschema": schema_uri(event_type, newest)}
