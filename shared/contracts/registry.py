"""The event types of this release with their versions, and the decoding of records."""

import json
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from shared.contracts import assignments, calendars, deadlines, dossiers, messages
from shared.contracts.envelope import READER_CONTEXT, AnyEnvelope, EventData, EventEnvelope, schema_uri
from shared.kernel.errors import MotcuaError, PoisonMessageError

_MAX_LISTED = 3

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Converts the `data` of one version to the next version."""


class UpgradeNeededError(MotcuaError):
    """A record contains a later version of a known event type. Upgrade the service; until then it cannot continue."""


class Registry:
    """The newest version of each event type, and the upcasters: functions that convert a version to the next one."""

    def __init__(
        self, events: Sequence[type[EventData]], upcasters: Mapping[tuple[str, int], Upcaster] | None = None
    ) -> None:
        """Index the event classes by type.

        Raises ValueError if two events have the same type, or if an upcaster is missing or superfluous.
        """
        self.events: Mapping[str, type[EventData]] = {event.TYPE: event for event in events}
        self.upcasters = dict(upcasters or {})
        if len(self.events) < len(events):
            raise ValueError("two events have the same type")
        needed = {(event.TYPE, old) for event in events for old in range(1, event.VERSION)}
        if needed != set(self.upcasters):
            raise ValueError(f"upcasters do not match the versions: {sorted(needed ^ set(self.upcasters))}")
        self.envelopes: Mapping[str, type[AnyEnvelope]] = {event.TYPE: EventEnvelope[event] for event in events}  # type: ignore[valid-type]

    def decode(self, event_type: str, version: int, value: bytes) -> AnyEnvelope:
        """Decode the value of a record of a known type, and convert the event to the newest version of that type.

        Unknown words of open enumerations and unknown fields are accepted. Raises KeyError for an unknown type,
        UpgradeNeededError for a later version, and PoisonMessageError for every other value that cannot be decoded.
        """
        event = self.events[event_type]
        if version > event.VERSION:
            raise UpgradeNeededError(
                f"{event_type} has version {version}, but this release reads {event.VERSION}. Upgrade this service."
            )
        try:
            if version == event.VERSION:
                envelope = self.envelopes[event_type].model_validate_json(value, context=READER_CONTEXT)
            else:
                document = self._upcast(event, version, json.loads(value))
                # through JSON again, so that an old record is validated by the same rules as a new one
                envelope = self.envelopes[event_type].model_validate_json(json.dumps(document), context=READER_CONTEXT)
        except ValidationError as error:
            raise PoisonMessageError(f"Not a valid {event_type} of version {version}: {_faults(error)}.") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise PoisonMessageError(f"Not a valid {event_type} of version {version}: {error}.") from error
        if envelope.type != event_type:
            raise PoisonMessageError(f"The header has type {event_type}, but the value {envelope.type}.")
        return envelope

    def _upcast(self, event: type[EventData], version: int, document: dict[str, Any]) -> dict[str, Any]:
        data = document["data"]
        for old in range(version, event.VERSION):
            data = self.upcasters[event.TYPE, old](data)
        return document | {"data": data, "dataschema": schema_uri(event.TYPE, event.VERSION)}


def _faults(error: ValidationError) -> str:
    """Return one line for operators: which fields are invalid and why, without values, which may be personal data."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    missing = [_place(fault["loc"]) for fault in faults if fault["type"] == "missing"]
    messages = [
        f"{_place(fault['loc'])}: {fault['msg']}".lstrip(": ") for fault in faults if fault["type"] != "missing"
    ]
    if missing:
        messages.append(f"missing: {_some(missing)}")
    more = len(messages) - _MAX_LISTED
    return "; ".join([*messages[:_MAX_LISTED], *([f"and {more} more"] if more > 0 else [])])


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(names[:_MAX_LISTED]) + more


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc)


def _events_of(module: ModuleType) -> list[type[EventData]]:
    return [
        member
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, EventData)
        and "TYPE" in vars(member)
        and member.__module__ == module.__name__
    ]


REGISTRY = Registry(
    [event for module in (dossiers, assignments, deadlines, calendars, messages) for event in _events_of(module)]
)

EVENTS = REGISTRY.events
"""The newest version of each event type."""

ENVELOPES = REGISTRY.envelopes
"""The model of the envelope of each event type."""

decode = REGISTRY.decode
