"""The history of events and the outbox: written in the transaction that decides, read by the relay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from shared.contracts.envelope import Actor, AnyEnvelope, EventData, actor_attributes, as_utc, schema_uri
from shared.contracts.registry import ENVELOPES
from shared.contracts.topics import TOPICS
from shared.kernel.ids import derived_id
from shared.postgres.pool import Connection

MAX_VALUE_BYTES = 900_000
"""Below Kafka's default limit of a record batch (1 MiB), with room for keys and headers."""


@cache
def _itself(service: str) -> Actor:
    return Actor(kind="system", id=service, role="service")


class Cause(NamedTuple):
    """Why events are told. The same `id` (idempotency key, consumed record's id, threshold) gives the same event
    ids."""

    id: str
    actor: Actor
    recorded_at: datetime
    correlation: str
    causation: str
    traceparent: str | None = None

    @classmethod
    def of(cls, envelope: AnyEnvelope, *, service: str, recorded_at: datetime) -> "Cause":
        """A consumed event as the cause of `service`'s own."""
        event_id = str(envelope.id)
        return cls(
            id=event_id,
            actor=_itself(service),
            recorded_at=max(recorded_at, envelope.recordedtime),
            correlation=envelope.correlationid,
            causation=event_id,
            traceparent=envelope.traceparent,
        )


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who tells: the attributes that all events of one process share."""

    service: str
    centre: str
    epoch: int
    catalogue_version: str

    def event(
        self, data: EventData, *, subject: str, sequence: int, time: datetime, cause: Cause, place: int
    ) -> AnyEnvelope:
        """The event as it will stand on Kafka; `place` counts the cause's events of this type about all subjects.

        Its data and its actor were validated when they were made, and are not again. Raises ValueError for an event of
        another service's topic, and for a naive instant.
        """
        return _form(self, type(data)).model_copy(
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
def _form(publisher: Publisher, event: type[EventData]) -> AnyEnvelope:
    """What the publisher's events of a type have in common, to be filled in."""
    topic = TOPICS[event.TOPIC]
    if topic.owner != publisher.service:
        raise ValueError(f"{topic.name} is {topic.owner}'s to write, not {publisher.service}'s")
    common: dict[str, Any] = {
        "source": f"/motcua/{publisher.centre}/{publisher.service}",
        "type": event.TYPE,
        "dataschema": schema_uri(event.TYPE, event.VERSION),
        "centre": publisher.centre,
        "epoch": publisher.epoch,
        "catalogueversion": publisher.catalogue_version,
    }
    return ENVELOPES[event.TYPE].model_construct(**common)


# Keeps the events and queues them for the relay. Outbox ids are drawn here, after the dossier rows were locked, in the
# order given, so that per dossier they ascend with the sequence.
_APPEND = """
with given as (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::int[],
                         $8::timestamptz[], $9::timestamptz[], $10::text[])
        with ordinality as v (id, topic, key, sequence, epoch, type, version, time, recorded_at, value, place)
), kept as (
    insert into events (id, topic, key, sequence, epoch, type, version, time, recorded_at, value)
    select id, topic, key, sequence, epoch, type, version, time, recorded_at, value from given
    returning id
)
insert into outbox (event_id) select given.id from given join kept using (id) order by given.place
"""


async def append(connection: Connection, envelopes: Sequence[AnyEnvelope]) -> None:
    """Keep `events` and put them into the outbox, in their order, within the open transaction.

    Raises asyncpg.UniqueViolationError when an event of the same cause, or of the same sequence, is kept already.
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
        _APPEND,
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
