"""Whether what was measured really happened: what every service keeps, held against Kafka and the inbox."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from motcua.local.centre import LocalCentre
from motcua.local.database import SERVICES, VERIFY
from motcua.local.sinks.inbox import read_inbox
from shared.contracts.topics import TOPICS
from shared.messaging.lag import Ends
from tests.bench.bench import NoResultError

_TOLD = " union all ".join(f"select topic, count(*) from {service}.events group by topic" for service in SERVICES)
_QUARANTINED = " union all ".join(
    f"select '{service}', count(*) from {service}.quarantined_records" for service in SERVICES
)
_MESSAGES = "select message_id::text, state, reason from notify.messages"
_SENT = ("sent", "delivered")


@dataclass(frozen=True, slots=True)
class Seen:
    """A centre at rest: events by topic as their owners keep them and as Kafka has them, records held back by service,
    messages as [id, state, reason], and the ids of those that lie in the inbox, as often as they do."""

    told: Mapping[str, int]
    on_kafka: Mapping[str, int]
    quarantined: Mapping[str, int]
    messages: Sequence[tuple[str, str, str | None]]
    in_inbox: Sequence[str]


@dataclass(frozen=True, slots=True)
class Counts:
    """Events by topic, messages by what became of them, and how many reached the sinks."""

    events: Mapping[str, int]
    outcomes: Counter[str]
    in_inbox: int

    def __str__(self) -> str:
        events = ", ".join(f"{count:,} on {topic}" for topic, count in self.events.items())
        return f"events: {events}; messages: {self.messages}"

    @property
    def messages(self) -> str:
        """What became of them, in words."""
        return ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(self.outcomes.items()))


async def counted(local: LocalCentre) -> Counts:
    """What a centre at rest comes to. Raises NoResultError where its parts disagree."""
    async with await psycopg.AsyncConnection.connect(local.site.databases[VERIFY]) as connection:
        told: dict[str, int] = dict(await (await connection.execute(_TOLD)).fetchall())
        held: dict[str, int] = dict(await (await connection.execute(_QUARANTINED)).fetchall())
        messages = await (await connection.execute(_MESSAGES)).fetchall()
    inbox = [message.message_id for message in read_inbox(local.home)]
    return judged(Seen(told, await _on_kafka(local), held, messages, inbox))


def judged(seen: Seen) -> Counts:
    """The counts, once all agree: events kept and on Kafka, nothing held back, every message with an outcome, and each
    that was sent once in the inbox. Raises NoResultError with everything that does not."""
    wrong = [
        f"{seen.told.get(topic, 0)} events of {topic} are kept, Kafka has {count} of them"
        for topic, count in seen.on_kafka.items()
        if seen.told.get(topic, 0) != count
    ]
    wrong += [f"{service} holds {count} records back" for service, count in seen.quarantined.items() if count]
    sent = {message_id for message_id, state, _ in seen.messages if state in _SENT}
    got = Counter(seen.in_inbox)
    if waiting := sum(state == "planned" for _, state, _ in seen.messages):
        wrong.append(f"{waiting} messages have no outcome")
    if lost := sent - got.keys():
        wrong.append(f"{len(lost)} messages were sent and reached no sink")
    if strange := got.keys() - sent:
        wrong.append(f"{len(strange)} messages reached the sinks, and notify says otherwise")
    if twice := sum(times > 1 for times in got.values()):
        wrong.append(f"{twice} messages reached the sinks more than once")
    if wrong:
        raise NoResultError("; ".join(wrong))
    outcomes = Counter("sent" if state in _SENT else f"{state} ({reason})" for _, state, reason in seen.messages)
    return Counts(seen.on_kafka, outcomes, len(got))


async def _on_kafka(local: LocalCentre) -> dict[str, int]:
    ends = Ends(local.site.kafka)
    try:
        places = [(topic.name, number) for topic in TOPICS.values() for number in range(topic.partitions)]
        found = await ends.read(places)
    finally:
        await ends.close()
    return {name: sum(end for (topic, _), end in found.items() if topic == name) for name in TOPICS}
