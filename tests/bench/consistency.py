"""Check of the outcome of a benchmark run: compare what every service stores with Kafka and with the inbox."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from motcua.local.centre import LocalCentre
from motcua.local.database import SERVICES, VERIFY
from motcua.local.sinks.inbox import read_inbox
from shared.contracts.topics import TOPICS
from shared.messaging.offsets import EndOffsets
from tests.bench.bench import InvalidRunError

_EVENTS = " union all ".join(f"select topic, count(*) from {service}.events group by topic" for service in SERVICES)
_QUARANTINED = " union all ".join(
    f"select '{service}', count(*) from {service}.quarantined_records" for service in SERVICES
)
_MESSAGES = "select message_id::text, state, reason from notify.messages"
_SENT = ("sent", "delivered")


@dataclass(frozen=True, slots=True)
class CentreState:
    """State of a quiescent centre, as read from its databases, Kafka and the inbox."""

    stored: Mapping[str, int]
    """Events by topic, as stored by the service that owns the topic."""
    on_kafka: Mapping[str, int]
    """Events by topic on Kafka."""
    quarantined: Mapping[str, int]
    """Quarantined records by service."""
    messages: Sequence[tuple[str, str, str | None]]
    """Id, state and reason of each message."""
    in_inbox: Sequence[str]
    """Message ids in the inbox, one for each delivery."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Events by topic, messages by outcome, and the number of messages that reached a sink."""

    events: Mapping[str, int]
    outcomes: Counter[str]
    in_inbox: int

    def __str__(self) -> str:
        events = ", ".join(f"{count:,} on {topic}" for topic, count in self.events.items())
        return f"events: {events}; messages: {self.messages}"

    @property
    def messages(self) -> str:
        """Messages by outcome, as text."""
        return ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(self.outcomes.items()))


async def count_centre(local: LocalCentre) -> Counts:
    """Count the events and messages of a quiescent centre. Raises InvalidRunError if its parts disagree."""
    async with await psycopg.AsyncConnection.connect(local.site.databases[VERIFY]) as connection:
        stored: dict[str, int] = dict(await (await connection.execute(_EVENTS)).fetchall())
        quarantined: dict[str, int] = dict(await (await connection.execute(_QUARANTINED)).fetchall())
        messages = await (await connection.execute(_MESSAGES)).fetchall()
    inbox = [message.message_id for message in read_inbox(local.home)]
    return checked_counts(CentreState(stored, await _on_kafka(local), quarantined, messages, inbox))


def checked_counts(centre: CentreState) -> Counts:
    """Return the counts of a consistent centre. Raises InvalidRunError with a list of all differences.

    In a consistent centre every stored event is on Kafka, no record is quarantined, every message has an outcome, and
    every sent message is in the inbox exactly once.
    """
    differences = [
        f"{centre.stored.get(topic, 0)} events of {topic} are stored, {count} are on Kafka"
        for topic, count in centre.on_kafka.items()
        if centre.stored.get(topic, 0) != count
    ]
    differences += [
        f"{service} has {count} quarantined records" for service, count in centre.quarantined.items() if count
    ]
    sent = {message_id for message_id, state, _ in centre.messages if state in _SENT}
    delivered = Counter(centre.in_inbox)
    if pending := sum(state == "planned" for _, state, _ in centre.messages):
        differences.append(f"{pending} messages have no outcome")
    if lost := sent - delivered.keys():
        differences.append(f"{len(lost)} messages were sent but reached no sink")
    if unexpected := delivered.keys() - sent:
        differences.append(f"{len(unexpected)} messages reached a sink but are not sent according to notify")
    if duplicates := sum(times > 1 for times in delivered.values()):
        differences.append(f"{duplicates} messages reached a sink more than once")
    if differences:
        raise InvalidRunError("; ".join(differences))
    outcomes = Counter("sent" if state in _SENT else f"{state} ({reason})" for _, state, reason in centre.messages)
    return Counts(centre.on_kafka, outcomes, len(delivered))


async def _on_kafka(local: LocalCentre) -> dict[str, int]:
    ends = EndOffsets(local.site.kafka)
    try:
        partitions = [(topic.name, number) for topic in TOPICS.values() for number in range(topic.partitions)]
        offsets = await ends.read(partitions)
    finally:
        await ends.close()
    return {name: sum(end for (topic, _), end in offsets.items() if topic == name) for name in TOPICS}
