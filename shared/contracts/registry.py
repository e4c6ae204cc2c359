"""Every event type and version that this release knows, and how bytes become events."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from shared.contracts import assignments, calendars, deadlines, dossiers, messages
from shared.contracts.envelope import READING, AnyEnvelope, EventData, EventEnvelope, schema_uri
from shared.kernel.errors import MotcuaError, PoisonMessageError

_MOST_TOLD = 3

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Rewrites the `data` of one version as the next version's."""


class UpgradeNeededError(MotcuaError):
    """A record has a newer version of a known event type: this release must be upgraded before it reads on."""


class Registry:
    """The newest version of each event type, and the way up to it from every older one."""

    def __init__(
        self, events: Sequence[type[EventData]], upcasters: Mapping[tuple[str, int], Upcaster] | None = None
    ) -> None:
        """Raises ValueError if two events share a type or an old version has no way up: a slip in the code."""
        self.events: Mapping[str, type[EventData]] = {event.TYPE: event for event in events}
        self.upcasters = dict(upcasters or {})
        if len(self.events) < len(events):
            raise ValueError("two events share a type")
        needed = {(event.TYPE, old) for event in events for old in range(1, event.VERSION)}
        if needed != set(self.upcasters):
            raise ValueError(f"upcasters do not fit the versions: {sorted(needed ^ set(self.upcasters))}")
        self.envelopes: Mapping[str, type[AnyEnvelope]] = {event.TYPE: EventEnvelope[event] for event in events}  # type: ignore[valid-type]

    def decode(self, event_type: str, version: int, value: bytes) -> AnyEnvelope:
        """The event in a record's value, upcast to the newest version of its type.

        Words that this release does not know pass (enums are open), and so do unknown fields.
        Raises UpgradeNeededError for a version from the future and PoisonMessageError for any other bytes.
        """
        event = self.events[event_type]
        if version > event.VERSION:
            raise UpgradeNeededError(
                f"{event_type} arrived in version {version}; this release reads up to {event.VERSION}: upgrade me"
            )
        try:
            if version == event.VERSION:
                envelope = self.envelopes[event_type].model_validate_json(value, context=READING)
            else:
                document = self._upcast(event, version, json.loads(value))
                # through JSON once more, so that an old record is read by the same rules as a new one
                envelope = self.envelopes[event_type].model_validate_json(json.dumps(document), context=READING)
        except ValidationError as error:
            raise PoisonMessageError(f"not a {event_type} version {version}: {_faults(error)}") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise PoisonMessageError(f"not a {event_type} version {version}: {error}") from error
        if envelope.type != event_type:
            raise PoisonMessageError(f"the header says {event_type}, the value {envelope.type}")
        return envelope

    def _upcast(self, event: type[EventData], version: int, document: dict[str, Any]) -> dict[str, Any]:
        data = document["data"]
        for old in range(version, event.VERSION):
            data = self.upcasters[event.TYPE, old](data)
        return document | {"data": data, "dataschema": schema_uri(event.TYPE, event.VERSION)}


def _faults(error: ValidationError) -> str:
    """What is wrong and where, for an operator; never what stands there, which may be about a person."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    missing = [_place(fault["loc"]) for fault in faults if fault["type"] == "missing"]
    told = [f"{_place(fault['loc'])}: {fault['msg']}".lstrip(": ") for fault in faults if fault["type"] != "missing"]
    if missing:
        told.append(f"without {_some(missing)}")
    return "; ".join([*told[:_MOST_TOLD], *([f"and {len(told) - _MOST_TOLD} more"] if len(told) > _MOST_TOLD else [])])


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_TOLD} more" if len(names) > _MOST_TOLD else ""
    return ", ".join(names[:_MOST_TOLD]) + more


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc)


def _events_of(module: ModuleType) -> list[type[EventData]]:
    return [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, EventData)
        and "TYPE" in vars(thing)
        and thing.__module__ == module.__name__
    ]


REGISTRY = Registry(
    [event for module in (dossiers, assignments, deadlines, calendars, messages) for event in _events_of(module)]
)

EVENTS = REGISTRY.events
"""The newest version of each event type."""

ENVELOPES = REGISTRY.envelopes
"""The model of each event type with its envelope."""

decode = REGISTRY.decode
