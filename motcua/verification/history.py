"""Check that a topic on Kafka has the same events in the same order as the history of the topic's owner.

The owner is the service that writes the topic; its history is its table of events.
"""

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
class StoredEvent:
    """One row of an owner's history. `value` is the event as JSON; the other members are the columns of the row."""

    id: UUID
    key: str
    sequence: int
    epoch: int
    type: str
    version: int
    value: str

    def event(self) -> AnyEnvelope:
        """Decode the event. Raises PoisonMessageError or UpgradeNeededError, KeyError for an unknown type."""
        return decode(self.type, self.version, self.value.encode())


@dataclass(slots=True)
class History:
    """All events of one topic in its owner's history: by event id, and by record key in sequence order."""

    topic: Topic
    by_id: dict[UUID, StoredEvent] = field(default_factory=dict)
    by_key: dict[str, list[StoredEvent]] = field(default_factory=dict)


async def load(connection: asyncpg.Connection, topic: Topic) -> History:
    """Read all events of `topic` from its owner's history in the database."""
    history = History(topic)
    query = (
        f"select id, key, sequence, epoch, type, version, value from {topic.owner}.events "
        "where topic = $1 order by key, sequence, epoch"
    )
    async with connection.transaction(readonly=True):
        async for row in connection.cursor(query, topic.name, prefetch=5000):
            stored = StoredEvent(*row)
            history.by_id[stored.id] = stored
            history.by_key.setdefault(stored.key, []).append(stored)
    return history


def gapless(history: History, sequences: Mapping[str, int]) -> Iterator[Finding]:
    """Yield a finding for the first gap in the sequences of each key, and for each key whose row in the owner differs.

    `sequences` has the last sequence in the owner's row by key; a missing row is also a finding.
    """
    owner = history.topic.owner
    for key, events in history.by_key.items():
        for expected, stored in enumerate(events, 1):
            if stored.sequence != expected:
                yield Finding("history", key, f"{owner}'s history has event {stored.sequence} instead of {expected}.")
                break
        count = len(events)
        if key not in sequences:
            yield Finding("state", key, f"{owner}'s history has {count} events, but its row is missing.")
        elif sequences[key] != count:
            yield Finding("state", key, f"{owner}'s row has sequence {sequences[key]}, but its history {count} events.")
    for key in sequences.keys() - history.by_key.keys():
        if sequences[key]:
            yield Finding("history", key, f"{owner}'s row has sequence {sequences[key]}, but its history no event.")


async def on_kafka(bootstrap: str, history: History) -> list[Finding]:
    """Read the whole topic from Kafka and compare it with its owner's history; return the findings.

    A record that is on Kafka twice with the same content is not a finding.
    """
    owner = history.topic.owner
    findings: list[Finding] = []
    seen: set[UUID] = set()
    last: dict[str, int] = {}
    async for copies in read_topic(bootstrap, history.topic):
        for copy in copies:
            stored = history.by_id.get(_id(copy.headers.get("id", "")))
            if stored is None:
                findings.append(Finding("wire", copy.key, f"the record at {copy.place} is not in {owner}'s history."))
                continue
            expected = {
                "type": stored.type,
                "version": str(stored.version),
                "sequence": str(stored.sequence),
                "epoch": str(stored.epoch),
                "id": str(stored.id),
            }
            event = f"event {stored.sequence}"
            if copy.value != stored.value.encode() or copy.key != stored.key or copy.headers != expected:
                sentence = f"the record at {copy.place} differs from {event} in {owner}'s history."
                findings.append(Finding("wire", stored.key, sentence))
                continue
            if stored.id in seen:
                continue
            seen.add(stored.id)
            if stored.sequence != last.get(stored.key, 0) + 1:
                sentence = f"{event} at {copy.place} follows event {last.get(stored.key, 0)} on Kafka."
                findings.append(Finding("wire", stored.key, sentence))
            last[stored.key] = stored.sequence
    findings += [
        Finding(
            "wire",
            stored.key,
            f"event {stored.sequence} ({stored.type}) is in {owner}'s history, but not on Kafka.",
        )
        for stored in history.by_id.values()
        if stored.id not in seen
    ]
    return findings


def undecodable(history: History) -> Iterator[Finding]:
    """Yield a finding for each stored event that cannot be decoded or differs from the columns of its row."""
    for stored in history.by_id.values():
        name = f"event {stored.sequence} ({stored.type})"
        try:
            event = stored.event() if stored.type in EVENTS else None
        except Exception as error:  # noqa: BLE001 - every failure means that the event cannot be decoded
            yield Finding("history", stored.key, f"{name} cannot be decoded: {error}.")
            continue
        columns = (stored.sequence, stored.epoch, stored.key)
        if event is None or (event.sequence, event.epoch, event.subject) != columns:
            yield Finding("history", stored.key, f"{name} differs from the columns of its row.")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
