"""Trace of each message from the act to the sink, by stage, from the instants that services and broker record."""

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
from tests.bench.steady_load import AnsweredAct

STAGES = (
    "scheduled → recorded by intake",
    "→ on Kafka",
    "→ recorded by sla",
    "→ sla's event on Kafka",
    "→ planned by notify",
    "→ contact looked up",
    "→ in the sink",
)
"""Stages in order. A message that does not need the due date skips the two of sla."""
SLA = frozenset(STAGES[2:4])


@dataclass(frozen=True, slots=True)
class MessageTrace:
    """Latency of one message, in seconds, by stage and in all. `via_sla`: the message needed sla's due date."""

    channel: str
    moment: str
    scheduled_at: datetime
    via_sla: bool
    stages: dict[str, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """One event: when its service recorded it, when Kafka stored it, and the id of the event that caused it."""

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


async def trace_messages(local: LocalCentre, answered: Iterable[AnsweredAct]) -> list[MessageTrace]:
    """Trace every message that was caused by an accepted act of `answered` and that reached a sink."""
    kafka = local.site.kafka
    dossiers = await _read_events(kafka, DOSSIERS)
    deadlines = {event.id: event for events in (await _read_events(kafka, DEADLINES)).values() for event in events}
    planned = {event.id: event for events in (await _read_events(kafka, MESSAGES)).values() for event in events}
    acts: dict[str, list[AnsweredAct]] = {}
    for answer in answered:
        if answer.accepted:
            acts.setdefault(answer.dossier_id, []).append(answer)
    in_sink = {message.message_id: datetime.fromisoformat(message.at) for message in read_inbox(local.home)}
    async with await psycopg.AsyncConnection.connect(local.site.databases[VERIFY]) as connection:
        rows = await (await connection.execute(_MESSAGES)).fetchall()
    traces = []
    for message_id, dossier_id, sequence, channel, moment, planned_event, looked_up_at in rows:
        act = act_of(acts.get(dossier_id, ()), sequence)
        if act is None or looked_up_at is None:
            continue
        event = next(event for event in dossiers[dossier_id] if event.sequence == sequence)
        plan = planned[planned_event]
        cause = deadlines.get(plan.causation)
        marks = [(STAGES[0], event.recorded_at), (STAGES[1], event.on_kafka_at)]
        if cause is not None:
            marks += [(STAGES[2], cause.recorded_at), (STAGES[3], cause.on_kafka_at)]
        marks += [(STAGES[4], plan.recorded_at), (STAGES[5], looked_up_at), (STAGES[6], in_sink[message_id])]
        traces.append(trace(channel, moment, act.scheduled_at, marks, via_sla=cause is not None))
    return traces


def trace(
    channel: str, moment: str, scheduled_at: datetime, marks: Sequence[tuple[str, datetime]], *, via_sla: bool
) -> MessageTrace:
    """Build a trace from `marks`: stages in order, each with the instant at which it ended."""
    stages, previous = {}, scheduled_at
    for stage, at in marks:
        stages[stage] = (at - previous).total_seconds()
        previous = at
    return MessageTrace(channel, moment, scheduled_at, via_sla, stages, (previous - scheduled_at).total_seconds())


def act_of(acts: Iterable[AnsweredAct], sequence: int) -> AnsweredAct | None:
    """Return the act that published the event with this sequence: the first whose last event is not before it."""
    return min((act for act in acts if act.sequence >= sequence), key=lambda act: act.sequence, default=None)


async def _read_events(bootstrap: str, topic: Topic) -> Mapping[str, list[PublishedEvent]]:
    """Read all events of a topic, by subject, with the broker's timestamps."""
    events: dict[str, list[PublishedEvent]] = {}
    partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign(partitions)
        left = sum((await consumer.end_offsets(partitions)).values())
        await consumer.seek_to_beginning(*partitions)
        while left:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
                left -= len(records)
                for record in records:
                    value = json.loads(record.value)
                    events.setdefault(value["subject"], []).append(
                        PublishedEvent(
                            value["id"],
                            datetime.fromisoformat(value["recordedtime"]),
                            datetime.fromtimestamp(record.timestamp / 1000, UTC),
                            value["causationid"],
                            value["sequence"],
                        )
                    )
    return events
