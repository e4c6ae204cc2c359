"""A unit of work in memory: rows in, events out."""

from uuid import UUID

import pytest

from shared.contracts.dossiers import DossierPaidV1, DossierTakenOverV1
from shared.kernel.ids import derived_id
from shared.postgres.unit_of_work import Unit
from tests.support.delivery import MOMENT, TALLIES, Tally, cause, dossier, publisher, step

A, B = dossier(1), dossier(2)
PAID = DossierPaidV1(state="processing")
TAKEN = DossierTakenOverV1(state="processing", department="H10.01")


def unit(*rows: Tally) -> Unit[Tally]:
    return Unit(TALLIES, {row.key: row for row in rows}, publisher(epoch=4), MOMENT)


def test_missing_row_is_created_by_row_and_not_by_find() -> None:
    """`find` returns None for a missing row; `row` creates it once."""
    work = unit(Tally(key=A, sequence=3))
    assert work.find(B) is None
    created = work.row(B)
    assert (created.key, created.sequence, created.steps) == (B, 0, [])
    assert work.row(B) is created
    assert work.row(A).sequence == 3


def test_events_are_numbered_per_dossier() -> None:
    """Each event has the next sequence of its row, and the epoch of the publisher."""
    work = unit(Tally(key=A, sequence=3))
    events = [
        work.publish(work.row(key), PAID, time=MOMENT, cause=cause(name))
        for key, name in ((A, "x"), (B, "y"), (A, "z"))
    ]
    assert [(event.subject, event.sequence, event.epoch) for event in events] == [
        (str(A), 4, 4),
        (str(B), 1, 4),
        (str(A), 5, 4),
    ]
    assert work.events == events


def test_event_of_another_services_topic_is_rejected() -> None:
    """Each topic has one writer; a second one would fork the sequences."""
    work = Unit(TALLIES, {}, publisher("sla"), MOMENT)
    with pytest.raises(ValueError, match=r"only intake publishes to intake\.dossiers\.v1, not sla"):
        work.publish(work.row(A), PAID, time=MOMENT, cause=cause("x"))


def test_same_cause_publishes_events_with_the_same_ids() -> None:
    """The ids follow from cause, type and place, so consumers recognise events that are published again."""

    def decide() -> list[UUID]:
        work = unit()
        row = work.row(A)
        return [work.publish(row, data, time=MOMENT, cause=cause("key-1")).id for data in (PAID, TAKEN, PAID)]

    assert decide() == decide()
    assert decide() == [
        derived_id("key-1", "dossier.paid", 0),
        derived_id("key-1", "dossier.taken_over", 0),
        derived_id("key-1", "dossier.paid", 1),
    ]


def test_other_cause_publishes_events_with_other_ids() -> None:
    """Two acts of one kind on one dossier are two events."""
    work = unit()
    first, second = (work.publish(work.row(A), PAID, time=MOMENT, cause=cause(name)) for name in ("one", "two"))
    assert first.id != second.id


def test_consumed_event_is_the_cause_of_published_events() -> None:
    """The cause has the correlation of the event, its id as causation and the service as actor, and is not earlier."""
    event = step(A, 1)
    derived = unit().cause_of(event)
    assert (derived.id, derived.causation, derived.correlation) == (str(event.id), str(event.id), event.correlationid)
    assert (derived.actor.kind, derived.actor.id, derived.actor.role) == ("system", "intake", "service")
    assert derived.recorded_at == max(MOMENT, event.recordedtime)
