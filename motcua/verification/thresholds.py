"""Thresholds: what sla told of each clock and has not taken back, held against its row and against the pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.sla.clocks.events import EVENT_TYPES
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
class Told:
    """What was told of one clock and still holds, and what was wrong with the telling itself."""

    standing: list[Threshold] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def told_of(events: Sequence[AnyEnvelope]) -> Told:
    """What sla's events about one dossier, in sequence order, come to: each threshold at most once at a time, none
    before its instant, and only what was told is taken back."""
    standing: dict[Key, Threshold] = {}
    wrong: list[str] = []
    for event in events:
        if isinstance(event.data, DeadlineRetractedV1):
            key = _LEVELS[event.data.fired], event.data.level or 0, event.data.due_at
            if standing.pop(key, None) is None:
                wrong.append(f"sla took back {_words(key)}, which did not stand")
        elif (threshold := _told(event)) is not None:
            key = key_of(threshold)
            if key in standing:
                wrong.append(f"sla told {_words(key)} twice")
            if threshold.at > event.recordedtime:
                wrong.append(f"sla told {_words(key)} at {event.recordedtime.isoformat()}, before it had come")
            standing[key] = threshold
    return Told(list(standing.values()), wrong)


def kept_and_told(kept: Sequence[Threshold], told: Told) -> list[str]:
    """Where the row's memory of what holds differs from the events: a threshold would be told twice, or never."""
    remembered, standing = {key_of(each): each.at for each in kept}, {key_of(each): each.at for each in told.standing}
    found = [f"{_words(key)} was told and sla's row does not know it" for key in standing.keys() - remembered.keys()]
    found += [
        f"sla's row says that {_words(key)} was told, no event does" for key in remembered.keys() - standing.keys()
    ]
    return found + [
        f"sla's row says {_words(key)} came at {remembered[key].isoformat()}, its event {standing[key].isoformat()}"
        for key in remembered.keys() & standing.keys()
        if remembered[key] != standing[key]
    ]


def by_the_rules(
    expected: Sequence[Threshold], told: Told, next_at: datetime | None, told_until: datetime | None
) -> list[str]:
    """What is wrong with a clock of today's rules, whose thresholds are `expected`: what is told next, and whether it
    should have been told; reached and breached of the due date that stands are where the rules put them.

    `told_until`: an instant by which sla was at work, and told what had come; None where a quarantined record stops it.
    """
    coming = pending(expected, told.standing)
    due = coming[0].at if coming else None
    found = []
    if due != next_at:
        found.append(f"sla's row tells the next threshold at {_at(next_at)}, the rules give {_at(due)}")
    elif due is not None and told_until is not None and due < told_until:
        found.append(f"{_words(key_of(coming[0]))} came at {due.isoformat()} and was not told")
    instants = {key_of(each): each.at for each in expected if each.level in ("reached", "breached")}
    return found + [
        f"sla told {_words(key)} for {each.at.isoformat()}, the rules give {instants[key].isoformat()}"
        for each in told.standing
        if instants.get(key := key_of(each), each.at) != each.at
    ]


def _told(event: AnyEnvelope) -> Threshold | None:
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
    return "no time" if instant is None else instant.isoformat()
