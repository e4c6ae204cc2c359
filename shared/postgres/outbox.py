"""Build events, and write them to the event history and the outbox in the transaction that changes the state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import asyncpg

from shared.contracts.envelope import Actor, AnyEnvelope, EventData, actor_attributes, as_utc, schema_uri
from shared.contracts.registry import ENVELOPES
from shared.contracts.topics import TOPICS
from shared.kernel.ids import derived_id
from shared.postgres.pool import Connection

MAX_VALUE_BYTES = 900_000
"""Below Kafka's default limit for a record batch (1 MiB), with room for keys and headers."""


@cache
def _service_actor(service: str) -> Actor:
    return Actor(kind="system", id=service, role="service")


class Cause(NamedTuple):
    """The cause of published events: for example an act, a consumed event or a threshold.

    The ids of the published events are derived from `id`, so the same cause always gives events with the same ids.
    `correlation`, `causation` and `traceparent` become attributes of the events.
    """

    id: str
    actor: Actor
    recorded_at: datetime
    correlation: str
    causation: str
    traceparent: str | None = None

    @classmethod
    def of(cls, envelope: AnyEnvelope, *, service: str, recorded_at: datetime) -> "Cause":
        """Build the cause of the events that `service` publishes because it consumed the event `envelope`.

        Its `recorded_at` is at least that of the consumed event: no event is recorded before its cause.
        """
        event_id = str(envelope.id)
        return cls(
            id=event_id,
            actor=_service_actor(service),
            recorded_at=max(recorded_at, envelope.recordedtime),
            correlation=envelope.correlationid,
            causation=event_id,
            traceparent=envelope.traceparent,
        )


@dataclass(frozen=True, slots=True)
class Publisher:
    """Builds events with the attributes that all events of this process have in common. Stores and sends nothing."""

    service: str
    centre: str
    epoch: int
    catalogue_version: str

    def event(
        self, data: EventData, *, subject: str, sequence: int, time: datetime, cause: Cause, place: int
    ) -> AnyEnvelope:
        """Build the event around `data`, and neither store nor send it.

        `place` is the number, from 0, of this event among the events of its type with the same cause; the event's id is
        derived from it. Data and actor are not validated again. Raises ValueError for an event of another service's
        topic, and for an instant without an offset.
        """
        return _template(self, type(data)).model_copy(
            update={
                "id": derived_id(cause.id, data.TYPE, place),
                "subject": subject,
                "time": as_utc(time),
                "sequence": sequence,
                "recordedtime": as_utc(cause.recorded_at),
                **actor_attributes(cause.actor),
                "correlationid": cause.correlation,
                "causationid": cause.causation,
                "traceparent": cause.traceparent,
                "data": data,
            }
        )


@cache
def _template(publisher: Publisher, event: type[EventData]) -> AnyEnvelope:
    """An incomplete envelope with the attributes that all the publisher's events of one type have in common.

    Raises ValueError if the type belongs to another service's topic.
    """
    topic = TOPICS[event.TOPIC]
    if topic.owner != publisher.service:
        raise ValueError(f"only {topic.owner} publishes to {topic.name}, not {publisher.service}")
    common: dict[str, Any] = {
        "source": f"/motcua/{publisher.centre}/{publisher.service}",
        "type": event.TYPE,
        "dataschema": schema_uri(event.TYPE, event.VERSION),
        "centre": publisher.centre,
        "epoch": publisher.epoch,
        "catalogueversion": publisher.catalogue_version,
    }
    return ENVELOPES[event.TYPE].model_construct(**common)


# Store the events and queue them for the relay. Outbox ids are assigned here, after the dossier rows were locked and in
# the order of the arrays, so that per dossier they ascend with the sequence.
_STORE = """
with new as (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::int[],
                         $8::timestamptz[], $9::timestamptz[], $10::text[])
        with ordinality as v (id, topic, key, sequence, epoch, type, version, time, recorded_at, value, place)
), stored as (
    insert into events (id, topic, key, sequence, epoch, type, version, time, recorded_at, value)
    select id, topic, key, sequence, epoch, type, version, time, recorded_at, value from new
    returning id
)
insert into outbox (event_id) select new.id from new join stored using (id) order by new.place
"""


async def store_events(connection: Connection, envelopes: Sequence[AnyEnvelope]) -> None:
    """Insert events into the history and the outbox, in the order of `envelopes`, within the caller's open transaction.

    The relay sends them to Kafka after the commit. Raises asyncpg.UniqueViolationError if an event with the same id, or
    with the same subject, topic, sequence and epoch, exists, and ValueError for an event that is too large for Kafka.
    """
    if not envelopes:
        return
    values = [envelope.to_json() for envelope in envelopes]
    for envelope, value in zip(envelopes, values, strict=True):
        if len(value) > MAX_VALUE_BYTES:
            raise ValueError(
                f"{envelope.type} {envelope.sequence} of {envelope.subject} has {len(value)} bytes, too many for Kafka"
            )
    await connection.execute(
        _STORE,
        [envelope.id for envelope in envelopes],
        [envelope.data.TOPIC for envelope in envelopes],
        [envelope.subject for envelope in envelopes],
        [envelope.sequence for envelope in envelopes],
        [envelope.epoch for envelope in envelopes],
        [envelope.type for envelope in envelopes],
        [envelope.data.VERSION for envelope in envelopes],
        [envelope.time for envelope in envelopes],
        [envelope.recordedtime for envelope in envelopes],
        [value.decode() for value in values],
    )


async def has_pending(pool: asyncpg.Pool, rows: int) -> bool:
    """Whether at least this many events are pending in the outbox."""
    # by the index, which drops sent rows at once; the table contains them until it is vacuumed
    return bool(await pool.fetchval("select exists (select from outbox order by id offset $1 limit 1)", rows - 1))


async def read_oldest_age(pool: asyncpg.Pool) -> float:
    """Read the seconds for which the oldest event has been in the outbox; 0 if it is empty."""
    age = await pool.fetchval(
        "select extract(epoch from clock_timestamp() - queued_at) from outbox order by id limit 1"
    )
    return max(0.0, float(age or 0.0))
