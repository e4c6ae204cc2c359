"""A test consumer for event delivery: its row lists the applied activities in order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.contracts.dossiers import DossierStepRecordedV1
from shared.contracts.envelope import Actor, AnyEnvelope, EventEnvelope
from shared.contracts.topics import Topic
from shared.kernel.clock import Clock
from shared.messaging.records import Record
from shared.postgres.outbox import Cause, Publisher
from shared.postgres.rows import Row, Table
from shared.postgres.unit_of_work import Unit

MOMENT = datetime(2017, 11, 6, 1, 0, tzinfo=UTC)
CLERK = Actor(kind="person", id="clerk-7", role="clerk", counter=7)


SERVICE = "tally"
"""Schema and role of the test service."""


class FrozenClock(Clock):
    """A centre's clock that is always at MOMENT."""

    def now(self) -> datetime:
        return MOMENT


def publisher(service: str = "intake", *, epoch: int = 1) -> Publisher:
    """The publisher of the test events."""
    return Publisher(service=service, centre="test", epoch=epoch, catalogue_version="none")


def cause(name: str) -> Cause:
    """An act as an event's cause."""
    return Cause(id=name, actor=CLERK, recorded_at=MOMENT, correlation=name, causation=name)


def dossier(number: int) -> UUID:
    """A dossier's id; higher numbers sort later."""
    return UUID(int=number)


def step(key: UUID, sequence: int, activity: str = "", *, epoch: int = 1) -> AnyEnvelope:
    """The event that adds `activity` (by default the sequence) to the dossier's row."""
    data = DossierStepRecordedV1(state="processing", activity=activity or f"{sequence}")
    name = f"{key} {sequence} {epoch} {data}"
    return publisher(epoch=epoch).event(
        data, subject=str(key), sequence=sequence, time=MOMENT, cause=cause(name), place=0
    )


def record(topic: Topic, event: AnyEnvelope, offset: int, *, partition: int = 0) -> Record:
    """The event as a consumer reads it."""
    return Record(
        topic=topic.name,
        partition=partition,
        offset=offset,
        key=UUID(event.subject),
        sequence=event.sequence,
        epoch=event.epoch,
        id=str(event.id),
        type=event.type,
        version=event.data.VERSION,
        value=event.to_json(),
    )


@dataclass(slots=True, kw_only=True)
class Tally(Row):
    """The test consumer's row: the applied activities in order."""

    steps: list[str] = field(default_factory=list)


TALLIES = Table(Tally, name="tallies", columns={"steps": "jsonb"})
TALLIES_SQL = """
create table tallies (
    dossier_id uuid primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    steps jsonb not null
)
"""


class RefusedError(Exception):
    """The test handler refused an event."""


def counting(*, refuses: Callable[[str], bool] = lambda _: False) -> Callable[[EventEnvelope[Any], Unit[Tally]], None]:
    """A handler that adds activities to the row, and raises for those that it refuses after it has changed the row."""

    def on_step(event: EventEnvelope[Any], unit: Unit[Tally]) -> None:
        row = unit.row(event.dossier_id)
        row.steps.append(event.data.activity)
        if refuses(event.data.activity):
            raise RefusedError(event.data.activity)

    return on_step
