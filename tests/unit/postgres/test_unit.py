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


def test_a_missing_row_is_new_only_when_it_is_asked_for() -> None:
    """`find` never makes one; `row` gives the same new one again."""
    work = unit(Tally(key=A, sequence=3))
    assert work.find(B) is None
    made = work.row(B)
    assert (made.key, made.sequence, made.steps) == (B, 0, [])
    assert work.row(B) is made
    assert work.row(A).sequence == 3


def test_events_count_by_dossier() -> None:
    """Each event takes its row's next sequence, without a gap, and carries the writer's epoch."""
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


def test_an_event_of_another_services_topic_is_refused() -> None:
    """Each topic has one writer; a second one would fork every dossier's sequence there."""
    work = Unit(TALLIES, {}, publisher("sla"), MOMENT)
    with pytest.raises(ValueError, match=r"intake\.dossiers\.v1 is intake's to write, not sla's"):
        work.publish(work.row(A), PAID, time=MOMENT, cause=cause("x"))


def test_the_same_cause_decided_again_gives_the_same_ids() -> None:
    """After a rollback or a restore, readers recognise the events; type and place tell a cause's events apart."""

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


def test_another_cause_gives_other_ids() -> None:
    """Two acts of the same kind on the same dossier are two events."""
    work = unit()
    first, second = (work.publish(work.row(A), PAID, time=MOMENT, cause=cause(name)) for name in ("one", "two"))
    assert first.id != second.id


def test_a_consumed_event_is_the_cause_of_ours() -> None:
    """Correlation goes on, causation names the event, the actor is the service; nothing is recorded before its
    cause."""
    event = step(A, 1)
    ours = unit().cause_of(event)
    assert (ours.id, ours.causation, ours.correlation) == (str(event.id), str(event.id), event.correlationid)
    assert (ours.actor.kind, ours.actor.id, ours.actor.role) == ("system", "intake", "service")
    assert ours.recorded_at == max(MOMENT, event.recordedtime)
