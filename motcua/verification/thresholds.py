"""Compare the thresholds that sla has published and not retracted with its rows and with the rules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.sla.clocks.events import EVENT_TYPES
from services.sla.domain.calendar import Calendar
from services.sla.domain.thresholds import Key, Threshold, key_of, pending
from shared.contracts.deadlines import (
    DeadlineAtRiskV1,
    DeadlineEscalatedV1,
    DeadlinePauseExceededV1,
    DeadlineRetractedV1,
    ThresholdEvent,
)
from shared.contracts.envelope import AnyEnvelope

_LEVELS = {event_type: level for level, event_type in EVENT_TYPES.items()}


@dataclass(slots=True)
class PublishedThresholds:
    """The thresholds of one clock that sla has published and not retracted, and faults in the order of these events.

    Each fault is a sentence.
    """

    current: list[Threshold] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def published_thresholds(events: Sequence[AnyEnvelope]) -> PublishedThresholds:
    """Collect the published thresholds of one dossier from sla's events in sequence order.

    Faults are a threshold published twice or before its instant, and the retraction of a threshold that is not
    published.
    """
    current: dict[Key, Threshold] = {}
    faults: list[str] = []
    for event in events:
        if isinstance(event.data, DeadlineRetractedV1):
            key = _LEVELS[event.data.fired], event.data.level or 0, event.data.due_at
            if current.pop(key, None) is None:
                faults.append(f"sla retracted {_words(key)}, which was not published.")
        elif (threshold := _threshold_of(event)) is not None:
            key = key_of(threshold)
            if key in current:
                faults.append(f"sla published {_words(key)} twice.")
            if threshold.at > event.recordedtime:
                faults.append(f"sla published {_words(key)} too early, at {event.recordedtime.isoformat()}.")
            current[key] = threshold
    return PublishedThresholds(list(current.values()), faults)


def compare_with_row(fired: Sequence[Threshold], published: PublishedThresholds) -> list[str]:
    """Compare `fired`, the thresholds in sla's row, with the published ones; return a sentence for each difference.

    With such a difference, sla would later publish a threshold twice or never.
    """
    stored = {key_of(each): each.at for each in fired}
    current = {key_of(each): each.at for each in published.current}
    found = [f"{_words(key)} was published, but is missing from sla's row." for key in current.keys() - stored.keys()]
    found += [f"{_words(key)} is in sla's row, but was not published." for key in stored.keys() - current.keys()]
    return found + [
        f"sla's row has {_words(key)} at {stored[key].isoformat()}, but its event has {current[key].isoformat()}."
        for key in stored.keys() & current.keys()
        if stored[key] != current[key]
    ]


def compare_with_rules(
    expected: Sequence[Threshold],
    published: PublishedThresholds,
    next_at: datetime | None,
    published_until: datetime | None,
) -> list[str]:
    """Compare sla's thresholds of one clock with `expected`, those by the rules; return a sentence for each difference.

    Compares `next_at`, the instant of the next threshold in sla's row, and the published instants of `reached` and
    `breached`. Also, every threshold before `published_until` must be published; with None that is not checked, since
    a quarantined record prevents publication.
    """
    coming = pending(expected, published.current)
    due = coming[0].at if coming else None
    found = []
    if due != next_at:
        found.append(f"sla's row has {_at(next_at)} as next threshold, but the rules give {_at(due)}.")
    elif due is not None and published_until is not None and due < published_until:
        found.append(f"{_words(key_of(coming[0]))} was reached at {due.isoformat()}, but not published.")
    instants = {key_of(each): each.at for each in expected if each.level in ("reached", "breached")}
    return found + [
        f"sla published {_words(key)} for {each.at.isoformat()}, but the rules give {instants[key].isoformat()}."
        for each in published.current
        if instants.get(key := key_of(each), each.at) != each.at
    ]


def outside_working_time(published: PublishedThresholds, calendars: Iterable[Calendar]) -> list[str]:
    """Return a sentence for each `near` and `escalated` that is outside working time by each of these calendars.

    `calendars` are the versions of the calendar: a later version may have a day off where a threshold was published. A
    closing time is accepted.
    """
    worktimes = [calendar.worktime for calendar in calendars]
    return [
        f"sla published {_words(key_of(each))} outside working time, for {each.at.isoformat()}."
        for each in published.current
        if each.level in ("near", "escalated")
        and not any(
            worktime.starts_at <= each.at <= worktime.ends_at and worktime.is_working_time(each.at)
            for worktime in worktimes
        )
    ]


def _threshold_of(event: AnyEnvelope) -> Threshold | None:
    data = event.data
    if isinstance(data, DeadlinePauseExceededV1):
        return Threshold("pause_exceeded", data.paused_at, data.threshold_at)
    if not isinstance(data, ThresholdEvent):
        return None
    step = data.step if isinstance(data, DeadlineAtRiskV1) else 0
    if isinstance(data, DeadlineEscalatedV1):
        step = data.level
    return Threshold(_LEVELS[data.TYPE], data.due_at, data.threshold_at, step)


def _words(key: Key) -> str:
    level, step, about = key
    return f"{level}{f' ({step})' if step else ''} of {about.isoformat()}"


def _at(instant: datetime | None) -> str:
    return "no instant" if instant is None else instant.isoformat()
