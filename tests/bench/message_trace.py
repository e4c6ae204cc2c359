"""The way of each message from the act to the sink, cut where an instant is on record: which stage costs what."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition

from motcua.local.centre import LocalCentre
from motcua.local.database import VERIFY
from motcua.local.sinks.inbox import read_inbox
from shared.contracts.topics import DEADLINES, DOSSIERS, MESSAGES, Topic
from tests.bench.steady_load import Done

STAGES = (
    "meant → recorded by intake",
    "→ on Kafka",
    "→ recorded by sla",
    "→ sla's event on Kafka",
    "→ planned by notify",
    "→ contact asked",
    "→ in the sink",
)
"""In the order of the way; a message that needs no due date leaves out sla's two."""
SLA = frozenset(STAGES[2:4])


@dataclass(frozen=True, slots=True)
class Course:
    """One message's way: seconds of each stage, and of all of it. `via_sla`: it waited for the due date."""

    channel: str
    moment: str
    meant_at: datetime
    via_sla: bool
    stages: dict[str, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class Told:
    """One event: when its service recorded it, when Kafka took it, and which event caused it."""

    id: str
    recorded_at: datetime
    on_kafka_at: datetime
    causation: str
    sequence: int


_MESSAGES = """
select m.message_id::text, m.dossier_id::text, m.dossier_sequence, m.channel, m.moment, p.id::text,
    min(l.looked_up_at)
from notify.messages m
    join notify.events p on p.id = m.planned_event
    left join intake.contact_lookups l on l.message_id = m.message_id
where m.state in ('sent', 'delivered')
group by 1, 2, 3, 4, 5, 6
"""


async def courses(local: LocalCentre, done: Iterable[Done]) -> list[Course]:
    """The way of every message that an accepted act of `done` led to and that reached a sink."""
    kafka = local.site.kafka
    dossiers = await _told(kafka, DOSSIERS)
    deadlines = {event.id: event for events in (await _told(kafka, DEADLINES)).values() for event in events}
    planned = {event.id: event for events in (await _told(kafka, MESSAGES)).values() for event in events}
    acts: dict[str, list[Done]] = {}
    for one in done:
        if one.accepted:
            acts.setdefault(one.dossier_id, []).append(one)
    in_sink = {message.message_id: datetime.fromisoformat(message.at) for message in read_inbox(local.home)}
    async with await psycopg.AsyncConnection.connect(local.site.databases[VERIFY]) as connection:
        rows = await (await connection.execute(_MESSAGES)).fetchall()
    found = []
    for message_id, dossier_id, sequence, channel, moment, planned_event, looked_up_at in rows:
        act = act_of(acts.get(dossier_id, ()), sequence)
        if act is None or looked_up_at is None:
            continue
        event = next(one for one in dossiers[dossier_id] if one.sequence == sequence)
        plan = planned[planned_event]
        cause = deadlines.get(plan.causation)
        marks = [(STAGES[0], event.recorded_at), (STAGES[1], event.on_kafka_at)]
        if cause is not None:
            marks += [(STAGES[2], cause.recorded_at), (STAGES[3], cause.on_kafka_at)]
        marks += [(STAGES[4], plan.recorded_at), (STAGES[5], looked_up_at), (STAGES[6], in_sink[message_id])]
        found.append(course(channel, moment, act.meant_at, marks, via_sla=cause is not None))
    return found


def course(
    channel: str, moment: str, meant_at: datetime, marks: Sequence[tuple[str, datetime]], *, via_sla: bool
) -> Course:
    """Seconds from mark to mark, in the order given."""
    stages, before = {}, meant_at
    for stage, at in marks:
        stages[stage] = (at - before).total_seconds()
        before = at
    return Course(channel, moment, meant_at, via_sla, stages, (before - meant_at).total_seconds())


def act_of(acts: Iterable[Done], sequence: int) -> Done | None:
    """The act that the event of that sequence comes from: the first one whose last event is not before it."""
    return min((act for act in acts if act.sequence >= sequence), key=lambda act: act.sequence, default=None)


async def _told(bootstrap: str, topic: Topic) -> Mapping[str, list[Told]]:
    """Every event of a topic by its subject, with the broker's own stamps."""
    found: dict[str, list[Told]] = {}
    places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign(places)
        left = sum((await consumer.end_offsets(places)).values())
        await consumer.seek_to_beginning(*places)
        while left:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
                left -= len(records)
                for record in records:
                    value = json.loads(record.value)
                    found.setdefault(value["subject"], []).append(
                        Told(
                            value["id"],
                            datetime.fromisoformat(value["recordedtime"]),
                            datetime.fromtimestamp(record.timestamp / 1000, UTC),
                            value["causationid"],
                            value["sequence"],
                        )
                    )
    return found
