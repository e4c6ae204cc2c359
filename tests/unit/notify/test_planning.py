"""Which events call for which alert, and when an alert is overtaken."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.planning import Alert, Known, as_of, is_overtaken
from services.notify.hearing import DOSSIER_EVENTS, hear, plans_called_for
from shared.contracts.dossiers import DossierEvent
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.registry import EVENTS
from tests.support.life import Life


def alerts_of(life: Life) -> list[Alert]:
    known = Known()
    return [alert for envelope in life.events for alert in hear(known, envelope)]


def told(life: Life) -> list[tuple[str, str]]:
    return [(alert.moment, alert.template) for alert in alerts_of(life)]


def received(**more: object) -> Life:
    life = Life(**more)  # type: ignore[arg-type]  # passed on as given
    life.submitted()
    life.received()
    return life


def test_received_waits_for_its_due_date() -> None:
    """The applicant hears code and due date together."""
    life = received()
    assert told(life) == []
    life.due(27)
    (alert,) = alerts_of(life)
    assert (alert.moment, alert.template, alert.dossier_sequence) == ("received", "received", 2)
    assert alert.values["code"] == life.code
    assert alert.values["due_at"] == "2017-11-27T09:30:00+00:00"


def test_received_is_told_at_once_where_there_is_no_due_date() -> None:
    """A procedure without a term has nothing to wait for."""
    life = received()
    life.no_due()
    assert told(life) == [("received", "received_no_due")]


def test_received_waits_while_the_procedure_is_unknown() -> None:
    """Unknown is not "no term": it flows on once somebody entered it."""
    life = received()
    life.waiting()
    assert told(life) == []
    life.due(27)
    assert told(life) == [("received", "received")]


def test_expiry_of_received_counts_from_when_it_could_be_told() -> None:
    """A due date that came a day late leaves the applicant a whole alert."""
    life = received()
    life.at = datetime(2017, 11, 23, tzinfo=UTC)
    due = life.due(27)
    assert alerts_of(life)[0].valid_from == due.time


def test_the_same_due_date_again_calls_for_nothing() -> None:
    """Only a change is told."""
    life = received()
    life.due(27)
    life.due(27)
    assert told(life) == [("received", "received")]


def test_a_later_due_date_after_a_pause_is_a_change_without_apology() -> None:
    """The applicant's own papers moved it."""
    life = received()
    life.due(27)
    life.supplement_required()
    life.paused()
    life.supplement_received()
    life.due(29)
    assert told(life)[-1] == ("due_date_changed", "due_date_changed")


def test_a_later_due_date_without_a_pause_needs_an_apology() -> None:
    """The administration moved it."""
    life = received()
    life.due(27)
    life.due(29)
    assert told(life)[-1] == ("due_date_changed", "due_date_delayed")
    assert alerts_of(life)[-1].values["due_before"] == "2017-11-27T09:30:00+00:00"


def test_an_earlier_due_date_needs_no_apology() -> None:
    """Good news is told plainly."""
    life = received()
    life.due(27)
    life.due(24)
    assert told(life)[-1] == ("due_date_changed", "due_date_changed")


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (Life.refused, ("refused", "refused")),
        (lambda life: life.supplement_required(before_receipt=True), ("supplement_required",) * 2),
        (Life.supplement_required, ("supplement_required", "supplement_required")),
        (Life.payment_required, ("payment_required", "payment_required")),
        (Life.result_arrived, ("result_ready", "result_ready")),
        (lambda life: life.settled(electronic=True), ("result_ready", "result_ready_electronic")),
        (Life.returned, ("returned", "returned")),
        (Life.stopped, ("stopped", "stopped")),
        (Life.withdrawn, ("withdrawn", "withdrawn")),
    ],
)
def test_events_of_intake_that_call_for_an_alert(act: Callable[[Life], AnyEnvelope], expected: tuple[str, str]) -> None:
    """The moments of the domain, each called for by its own event."""
    life = Life()
    life.submitted()
    envelope = act(life)
    (alert,) = alerts_of(life)
    template = expected[1] if not getattr(envelope.data, "before_receipt", False) else f"{expected[1]}_before_receipt"
    assert (alert.moment, alert.template, alert.event_id) == (expected[0], template, envelope.id)
    assert alert.valid_from == envelope.time


def test_a_result_is_told_once() -> None:
    """An electronic result that later arrives on paper, too, is no second result."""
    life = received()
    life.settled(electronic=True)
    life.result_arrived()
    assert told(life) == [("result_ready", "result_ready_electronic")]


def test_a_reopened_dossier_has_another_result() -> None:
    """What was ready is no longer so: the next settlement is told again, once its own result is there."""
    life = received()
    life.settled()
    life.result_arrived()
    life.reopened()
    life.settled()
    assert told(life) == [("result_ready", "result_ready")]
    life.result_arrived()
    assert told(life) == [("result_ready", "result_ready")] * 2


def test_a_result_that_was_not_sent_before_the_reopening_is_overtaken() -> None:
    """Nobody comes for a result that is being worked on again."""
    life = received()
    known = Known()
    life.settled(electronic=True)
    alerts = [alert for envelope in life.events for alert in hear(known, envelope)]
    hear(known, life.reopened())
    (ready,) = alerts
    assert is_overtaken(known, moment=ready.moment, dossier_sequence=ready.dossier_sequence, due_at=None)


@pytest.mark.parametrize("electronic", [True, False])
def test_a_result_of_before_a_reopening_stays_overtaken_when_the_dossier_is_settled_again(electronic: bool) -> None:
    """Whoever comes for the old one would find that another is on its way; as of before the reopening it was ready."""
    life = received()
    known = Known()
    life.settled(electronic=electronic)
    arrived = life.result_arrived()
    (ready,) = [alert for envelope in life.events for alert in hear(known, envelope)]
    for envelope in (life.reopened(), life.settled()):
        assert hear(known, envelope) == []
    overtaken = [
        is_overtaken(then, moment="result_ready", dossier_sequence=ready.dossier_sequence, due_at=None)
        for then in (as_of(known, arrived.time), known)
    ]
    assert overtaken == [False, True]


def test_an_extension_and_a_moved_date_are_told_with_an_apology() -> None:
    """The department, or a decision on the calendar, made the applicant wait: once for each change."""
    life = received()
    life.due(20)
    life.taken_over()
    life.extended()
    life.due(22)
    life.moved(23, before=22)
    changed = ("due_date_changed", "due_date_delayed")
    assert told(life) == [("received", "received"), changed, changed]
    assert alerts_of(life)[-1].values["due_before"] == "2017-11-22T09:30:00+00:00"


def test_a_settled_dossier_waits_for_its_paper_result() -> None:
    """The word is "ready": told when the result lies at the returning place."""
    life = received()
    life.settled()
    assert told(life) == []


def test_a_paper_result_that_arrived_before_the_settlement_is_told_at_the_settlement() -> None:
    """Ready is what is both settled and at the returning place: the second of the two events tells it, once."""
    life = received()
    life.taken_over()
    life.result_arrived(state="processing")
    life.result_arrived(state="processing")
    assert told(life) == []
    settled = life.settled()
    (alert,) = alerts_of(life)
    assert (alert.moment, alert.template) == ("result_ready", "result_ready")
    assert (alert.event_id, alert.dossier_sequence, alert.valid_from) == (settled.id, settled.sequence, settled.time)
    life.result_arrived()
    assert told(life) == [("result_ready", "result_ready")]


def test_a_result_that_arrives_and_is_never_settled_is_not_told() -> None:
    """Nobody is sent for the result of a dossier that was stopped."""
    life = received()
    life.result_arrived(state="received")
    life.stopped()
    assert told(life) == [("stopped", "stopped")]


def test_an_electronic_result_that_lies_there_on_paper_already_is_told_as_electronic() -> None:
    """An electronic result needs no way to the centre: its settlement alone tells it."""
    life = received()
    life.result_arrived(state="received")
    life.settled(electronic=True)
    assert told(life) == [("result_ready", "result_ready_electronic")]


def test_every_type_of_intakes_events_is_heard() -> None:
    """A type that is not in the table would leave events of sla waiting for it."""
    assert set(DOSSIER_EVENTS) == {event for event in EVENTS.values() if issubclass(event, DossierEvent)}


def test_an_applicant_without_contact_gets_a_plan_that_says_so() -> None:
    """Every event that calls for an alert has its plan; the desk shows "not reachable"."""
    life = received(reach=())
    life.due(27)
    assert alerts_of(life)[0].channels == ("none",)


def test_a_corrected_contact_counts_from_its_event_on() -> None:
    """What is told about an earlier event follows the reach of that event, whenever sla's answer comes."""
    life = received(reach=("sms",))
    life.contact_corrected("sms", "email")
    life.due(27, reflects=2)
    life.stopped()
    assert [alert.channels for alert in alerts_of(life)] == [("sms",), ("sms", "email")]


def test_the_same_events_give_the_same_messages() -> None:
    """Ids are derived, so a plan that is made again after a restore is recognised."""
    life = received()
    life.due(27)
    assert plans_called_for(life.events) == plans_called_for(life.events)
    assert len({plan.message_id for plan in plans_called_for(life.events)}) == 2


def long_life() -> Life:
    life = received(reach=("sms",))
    life.assigned(2)
    life.due(27)
    life.supplement_required()
    life.paused()
    life.contact_corrected("sms", "email", state="supplement_required")
    life.supplement_received()
    life.due(29)
    life.due(30)
    life.taken_over()
    life.settled()
    life.result_arrived()
    life.returned()
    return life


@given(st.randoms(use_true_random=False))
def test_how_the_topics_interleave_changes_no_plan(random: object) -> None:
    """No order holds across topics: any merge of the three gives the same plans."""
    life = long_life()
    ordered = sorted(life.events, key=lambda envelope: envelope.source)
    topics = [list(envelopes) for _, envelopes in groupby(ordered, key=lambda envelope: envelope.source)]
    merged = []
    while topics := [topic for topic in topics if topic]:
        merged.append(random.choice(topics).pop(0))  # type: ignore[attr-defined]  # hypothesis's Random
    assert set(plans_called_for(merged)) == set(plans_called_for(life.events))
    assert len(plans_called_for(life.events)) == 10


@pytest.mark.parametrize(
    ("then", "overtaken"),
    [
        (Life.taken_over, False),
        (Life.supplement_required, True),
        (Life.settled, True),
        (Life.withdrawn, True),
        (lambda life: life.due(27), False),
        (lambda life: life.due(29), True),
    ],
)
def test_what_overtakes_received(then: Callable[[Life], AnyEnvelope], overtaken: bool) -> None:
    """It holds while the centre works on it and promises that date."""
    life = received()
    life.due(27)
    then(life)
    known = Known()
    alert, *_ = [alert for envelope in life.events for alert in hear(known, envelope)]
    due_at = datetime.fromisoformat(alert.values["due_at"])
    assert is_overtaken(known, moment="received", dossier_sequence=2, due_at=due_at) is overtaken


def test_a_request_for_papers_is_overtaken_when_they_came_also_when_more_are_asked_for() -> None:
    """The second request has its own alert; the first would send for papers that were brought."""
    life = received()
    life.supplement_required()
    known = Known()
    for envelope in life.events:
        hear(known, envelope)
    assert not is_overtaken(known, moment="supplement_required", dossier_sequence=3, due_at=None)
    hear(known, life.supplement_received())
    assert is_overtaken(known, moment="supplement_required", dossier_sequence=3, due_at=None)
    hear(known, life.supplement_required())
    assert is_overtaken(known, moment="supplement_required", dossier_sequence=3, due_at=None)
    assert not is_overtaken(known, moment="supplement_required", dossier_sequence=5, due_at=None)


def test_a_result_is_overtaken_by_its_return() -> None:
    """Nobody is sent for what is in their hands."""
    life = received()
    known = Known()
    for envelope in (*life.events, life.settled(), life.result_arrived()):
        hear(known, envelope)
    assert not is_overtaken(known, moment="result_ready", dossier_sequence=4, due_at=None)
    hear(known, life.returned())
    assert is_overtaken(known, moment="result_ready", dossier_sequence=4, due_at=None)


def test_what_was_known_at_an_instant() -> None:
    """State, due date and place as of then, that instant included, in whatever order the topics' events were heard."""
    life = received()
    due = life.due(27)
    due_at = due.data.model_dump()["due_at"]
    place = life.assigned(2)
    asked = life.supplement_required()
    paused = life.paused()
    came = life.supplement_received()
    life.due(30)
    known = Known()
    for envelope in (
        *(one for one in life.events if isinstance(one.data, DossierEvent)),
        due,
        place,
        paused,
        life.events[-1],
    ):
        hear(known, envelope)
    then = as_of(known, asked.time)
    assert (then.state, then.state_since, then.due_at) == ("supplement_required", asked.sequence, due_at)
    assert then.place is not None
    before = as_of(known, due.time)
    assert (before.state, before.due_at, before.place) == ("received", due_at, None)
    assert as_of(known, life.at) == known
    assert as_of(known, life.events[0].time - timedelta(seconds=1)).state == ""
    assert known.state_since == came.sequence


def test_a_request_for_papers_is_not_overtaken_before_they_came() -> None:
    """A set centre's time jumps over both: the message is judged by the instant that it was planned for."""
    life = received()
    asked = life.supplement_required()
    came = life.supplement_received()
    known = Known()
    for envelope in life.events:
        hear(known, envelope)
    overtaken = [
        is_overtaken(as_of(known, at), moment="supplement_required", dossier_sequence=asked.sequence, due_at=None)
        for at in (asked.time, came.time)
    ]
    assert overtaken == [False, True]
