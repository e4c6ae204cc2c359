"""Each kept event is on Kafka, all copies alike and in order; each record is in its owner's history."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from motcua.verification.findings import Finding
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.registry import EVENTS, decode
from shared.contracts.topics import Topic
from shared.messaging.topic_log import read_topic


@dataclass(frozen=True, slots=True)
class Kept:
    """One event as its owner keeps it."""

    id: UUID
    key: str
    sequence: int
    epoch: int
    type: str
    version: int
    value: str

    def event(self) -> AnyEnvelope:
        """The event, decoded. Raises what `decode` raises."""
        return decode(self.type, self.version, self.value.encode())


@dataclass(slots=True)
class History:
    """A topic's events as its owner keeps them: by id, and per key in sequence order."""

    topic: Topic
    by_id: dict[UUID, Kept] = field(default_factory=dict)
    by_key: dict[str, list[Kept]] = field(default_factory=dict)


async def load(connection: asyncpg.Connection, topic: Topic) -> History:
    """Read the owner's history of `topic`, whole."""
    history = History(topic)
    query = (
        f"select id, key, sequence, epoch, type, version, value from {topic.owner}.events "
        "where topic = $1 order by key, sequence, epoch"
    )
    async with connection.transaction(readonly=True):
        async for row in connection.cursor(query, topic.name, prefetch=5000):
            kept = Kept(*row)
            history.by_id[kept.id] = kept
            history.by_key.setdefault(kept.key, []).append(kept)
    return history


def gapless(history: History, told: Mapping[str, int]) -> Iterator[Finding]:
    """Sequences count from 1 without a gap, up to what the owner's row says that it told (`told`, by key)."""
    for key, events in history.by_key.items():
        for expected, kept in enumerate(events, 1):
            if kept.sequence != expected:
                yield Finding(
                    "history", key, f"{history.topic.owner} keeps event {kept.sequence} where {expected} is due"
                )
                break
        if key not in told:
            yield Finding("state", key, f"{history.topic.owner} told {len(events)} events and keeps no row of it")
        elif told[key] != len(events):
            yield Finding(
                "state", key, f"{history.topic.owner}'s row says {told[key]} events were told, {len(events)} are kept"
            )
    for key in told.keys() - history.by_key.keys():
        if told[key]:
            yield Finding(
                "history", key, f"{history.topic.owner}'s row says {told[key]} events were told, none is kept"
            )


async def on_kafka(bootstrap: str, history: History) -> list[Finding]:
    """Hold the topic, read whole, against its owner's history."""
    findings: list[Finding] = []
    seen: set[UUID] = set()
    last: dict[str, int] = {}
    async for copies in read_topic(bootstrap, history.topic):
        for copy in copies:
            kept = history.by_id.get(_id(copy.headers.get("id", "")))
            if kept is None:
                findings.append(Finding("wire", copy.key, f"the record at {copy.place} is in nobody's history"))
                continue
            expected = {
                "type": kept.type,
                "version": str(kept.version),
                "sequence": str(kept.sequence),
                "epoch": str(kept.epoch),
                "id": str(kept.id),
            }
            if copy.value != kept.value.encode() or copy.key != kept.key or copy.headers != expected:
                findings.append(
                    Finding("wire", kept.key, f"the record at {copy.place} differs from event {kept.sequence} as kept")
                )
                continue
            if kept.id in seen:
                continue
            seen.add(kept.id)
            if kept.sequence != last.get(kept.key, 0) + 1:
                findings.append(
                    Finding(
                        "wire", kept.key, f"event {kept.sequence} stands at {copy.place} after {last.get(kept.key, 0)}"
                    )
                )
            last[kept.key] = kept.sequence
    findings += [
        Finding(
            "wire", kept.key, f"event {kept.sequence} ({kept.type}) is in {history.topic.owner}'s history, not on Kafka"
        )
        for kept in history.by_id.values()
        if kept.id not in seen
    ]
    return findings


def undecodable(history: History) -> Iterator[Finding]:
    """Every kept event still reads as what it says it is."""
    for kept in history.by_id.values():
        try:
            event = kept.event() if kept.type in EVENTS else None
        except Exception as error:  # noqa: BLE001 - whatever it is, this event cannot be read any more
            yield Finding("history", kept.key, f"event {kept.sequence} cannot be read: {error}")
            continue
        if event is None or (event.sequence, event.epoch, event.subject) != (kept.sequence, kept.epoch, kept.key):
            yield Finding("history", kept.key, f"event {kept.sequence} ({kept.type}) does not say what its row says")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
