"""The alert plan: which events require which alert, and when an alert is overtaken."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.alert_plan import Alert, AlertPlan
from services.notify.domain.send_policy import is_overtaken
from services.notify.planning.expected_plans import expected_plans
from services.notify.planning.handlers import HANDLERS, plan_alerts
from shared.contracts.dossiers import DossierEvent
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.registry import EVENTS
from tests.support.dossier_events import DossierEvents

START = datetime(2017, 11, 20, 1, 0, tzinfo=UTC)


def alerts_of(dossier: DossierEvents) -> list[Alert]:
    plan = AlertPlan()
    return [alert for envelope in dossier.events for alert in plan_alerts(plan, envelope)]


def moments_of(dossier: DossierEvents) -> list[tuple[str, str]]:
    return [(alert.moment, alert.template) for alert in alerts_of(dossier)]


def received(**more: object) -> DossierEvents:
    dossier = DossierEvents(start=START, **more)  # type: ignore[arg-type]  # arguments of DossierEvents
    dossier.submitted()
    dossier.received()
    return dossier


def test_received_alert_is_planned_with_the_due_date() -> None:
    """One alert contains both code and due date."""
    dossier = received()
    assert moments_of(dossier) == []
    dossier.deadline_set("2017-11-27 16:30")
    (alert,) = alerts_of(dossier)
    assert (alert.moment, alert.template, alert.dossier_sequence) == ("received", "received", 2)
    assert alert.values["code"] == dossier.code
    assert alert.values["due_at"] == "2017-11-27T09:30:00+00:00"


def test_received_alert_without_term_is_planned_at_once() -> None:
    """A procedure without a term has no due date to wait for."""
    dossier = received()
    dossier.deadline_none()
    assert moments_of(dossier) == [("received", "received_no_due")]


def test_received_alert_waits_while_the_procedure_is_unknown() -> None:
    """An unknown procedure is not "no term": the alert is planned when the procedure is entered."""
    dossier = received()
    dossier.deadline_waiting()
    assert moments_of(dossier) == []
    dossier.deadline_set("2017-11-27 16:30")
    assert moments_of(dossier) == [("received", "received")]


def test_received_alert_is_valid_from_its_due_date_event() -> None:
    """If the due date arrives a day late, the alert does not expire earlier."""
    dossier = received()
    due = dossier.at(datetime(2017, 11, 23, tzinfo=UTC)).deadline_set("2017-11-27 16:30")
    assert alerts_of(dossier)[0].valid_from == due.time


def test_repeated_due_date_requires_no_alert() -> None:
    """Only a changed due date requires an alert."""
    dossier = received()
    dossier.deadline_set("2017-11-27 16:30")
    dossier.deadline_set("2017-11-27 16:30")
    assert moments_of(dossier) == [("received", "received")]


def test_later_due_date_after_pause_needs_no_apology() -> None:
    """The applicant's own papers moved the due date."""
    dossier = received()
    dossier.deadline_set("2017-11-27 16:30")
    dossier.supplement_required()
    dossier.deadline_paused()
    dossier.supplement_received()
    dossier.deadline_set("2017-11-29 16:30")
    assert moments_of(dossier)[-1] == ("due_date_changed", "due_date_changed")


def test_later_due_date_without_pause_needs_apology() -> None:
    """The administration moved the due date."""
    dossier = received()
    dossier.deadline_set("2017-11-27 16:30")
    dossier.deadline_set("2017-11-29 16:30")
    assert moments_of(dossier)[-1] == ("due_date_changed", "due_date_delayed")
    assert alerts_of(dossier)[-1].values["due_before"] == "2017-11-27T09:30:00+00:00"


def test_earlier_due_date_needs_no_apology() -> None:
    """An earlier due date is a plain change."""
    dossier = received()
    dossier.deadline_set("2017-11-27 16:30")
    dossier.deadline_set("2017-11-24 16:30")
    assert moments_of(dossier)[-1] == ("due_date_changed", "due_date_changed")


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (DossierEvents.refused, ("refused", "refused")),
        (lambda dossier: dossier.supplement_required(before_receipt=True), ("supplement_required",) * 2),
        (DossierEvents.supplement_required, ("supplement_required", "supplement_required")),
        (DossierEvents.payment_required, ("payment_required", "payment_required")),
        (DossierEvents.result_arrived, ("result_ready", "result_ready")),
        (lambda dossier: dossier.settled(electronic=True), ("result_ready", "result_ready_electronic")),
        (DossierEvents.returned, ("returned", "returned")),
        (DossierEvents.stopped, ("stopped", "stopped")),
        (DossierEvents.withdrawn, ("withdrawn", "withdrawn")),
    ],
)
def test_intake_event_requires_alert(act: Callable[[DossierEvents], AnyEnvelope], expected: tuple[str, str]) -> None:
    """Each moment of the domain is required by its own event."""
    dossier = DossierEvents(start=START)
    dossier.submitted()
    envelope = act(dossier)
    (alert,) = alerts_of(dossier)
    template = expected[1] if not getattr(envelope.data, "before_receipt", False) else f"{expected[1]}_before_receipt"
    assert (alert.moment, alert.template, alert.event_id) == (expected[0], template, envelope.id)
    assert alert.valid_from == envelope.time


def test_electronic_result_that_also_arrives_on_paper_is_planned_once() -> None:
    """An electronic result that later arrives on paper is not a second result."""
    dossier = received()
    dossier.settled(electronic=True)
    dossier.result_arrived()
    assert moments_of(dossier) == [("result_ready", "result_ready_electronic")]


def test_reopened_dossier_has_another_result_alert() -> None:
    """The next settlement requires an alert again when its own result is ready."""
    dossier = received()
    dossier.settled()
    dossier.result_arrived()
    dossier.reopened()
    dossier.settled()
    assert moments_of(dossier) == [("result_ready", "result_ready")]
    dossier.result_arrived()
    assert moments_of(dossier) == [("result_ready", "result_ready")] * 2


def test_unsent_result_alert_is_overtaken_by_reopening() -> None:
    """A result that is being worked on again cannot be collected."""
    dossier = received()
    plan = AlertPlan()
    dossier.settled(electronic=True)
    alerts = [alert for envelope in dossier.events for alert in plan_alerts(plan, envelope)]
    plan_alerts(plan, dossier.reopened())
    (ready,) = alerts
    assert is_overtaken(plan, moment=ready.moment, dossier_sequence=ready.dossier_sequence, due_at=None)


@pytest.mark.parametrize("electronic", [True, False])
def test_result_alert_before_reopening_stays_overtaken_after_next_settlement(electronic: bool) -> None:
    """The old result is replaced by another one; as of an instant before the reopening it was ready."""
    dossier = received()
    plan = AlertPlan()
    dossier.settled(electronic=electronic)
    arrived = dossier.result_arrived()
    (ready,) = [alert for envelope in dossier.events for alert in plan_alerts(plan, envelope)]
    for envelope in (dossier.reopened(), dossier.settled()):
        assert plan_alerts(plan, envelope) == []
    overtaken = [
        is_overtaken(then, moment="result_ready", dossier_sequence=ready.dossier_sequence, due_at=None)
        for then in (plan.as_of(arrived.time), plan)
    ]
    assert overtaken == [False, True]


def test_extension_and_moved_date_need_apology() -> None:
    """The department, or a decision on the calendar, delayed the applicant: one alert for each change."""
    dossier = received()
    dossier.deadline_set("2017-11-20 16:30")
    dossier.taken_over()
    dossier.extended()
    dossier.deadline_set("2017-11-22 16:30")
    dossier.deadline_moved("2017-11-23 16:30", before="2017-11-22 16:30")
    changed = ("due_date_changed", "due_date_delayed")
    assert moments_of(dossier) == [("received", "received"), changed, changed]
    assert alerts_of(dossier)[-1].values["due_before"] == "2017-11-22T09:30:00+00:00"


def test_settled_dossier_without_paper_result_requires_no_alert() -> None:
    """A paper result is ready only when it is at the returning place."""
    dossier = received()
    dossier.settled()
    assert moments_of(dossier) == []


def test_paper_result_before_settlement_is_planned_at_settlement() -> None:
    """The second of arrival and settlement requires the alert, once."""
    dossier = received()
    dossier.taken_over()
    dossier.result_arrived(state="processing")
    dossier.result_arrived(state="processing")
    assert moments_of(dossier) == []
    settled = dossier.settled()
    (alert,) = alerts_of(dossier)
    assert (alert.moment, alert.template) == ("result_ready", "result_ready")
    assert (alert.event_id, alert.dossier_sequence, alert.valid_from) == (settled.id, settled.sequence, settled.time)
    dossier.result_arrived()
    assert moments_of(dossier) == [("result_ready", "result_ready")]


def test_result_without_settlement_requires_no_alert() -> None:
    """A stopped dossier has no result to collect."""
    dossier = received()
    dossier.result_arrived(state="received")
    dossier.stopped()
    assert moments_of(dossier) == [("stopped", "stopped")]


def test_electronic_result_after_paper_arrival_uses_electronic_template() -> None:
    """The settlement alone makes an electronic result ready."""
    dossier = received()
    dossier.result_arrived(state="received")
    dossier.settled(electronic=True)
    assert moments_of(dossier) == [("result_ready", "result_ready_electronic")]


def test_every_intake_event_type_has_a_handler() -> None:
    """A missing type would leave deadline events pending."""
    handled = {event for event in HANDLERS if issubclass(event, DossierEvent)}
    assert handled == {event for event in EVENTS.values() if issubclass(event, DossierEvent)}


def test_applicant_without_contact_gets_unreachable_message() -> None:
    """Every event that requires an alert has a message; the desk shows "not reachable"."""
    dossier = received(reach=())
    dossier.deadline_set("2017-11-27 16:30")
    assert alerts_of(dossier)[0].channels == ("none",)


def test_corrected_contact_applies_from_its_event() -> None:
    """An alert uses the channels at its own event, regardless of when its deadline event arrives."""
    dossier = received(reach=("sms",))
    dossier.contact_corrected("sms", "email")
    dossier.deadline_set("2017-11-27 16:30", dossier_sequence=2)
    dossier.stopped()
    assert [alert.channels for alert in alerts_of(dossier)] == [("sms",), ("sms", "email")]


def test_same_events_give_same_messages() -> None:
    """Ids are derived, so a message that is planned again after a restore is the same."""
    dossier = received()
    dossier.deadline_set("2017-11-27 16:30")
    assert expected_plans(dossier.events) == expected_plans(dossier.events)
    assert len({plan.message_id for plan in expected_plans(dossier.events)}) == 2


def long_dossier() -> DossierEvents:
    dossier = received(reach=("sms",))
    dossier.assignment_decided(2)
    dossier.deadline_set("2017-11-27 16:30")
    dossier.supplement_required()
    dossier.deadline_paused()
    dossier.contact_corrected("sms", "email", state="supplement_required")
    dossier.supplement_received()
    dossier.deadline_set("2017-11-29 16:30")
    dossier.deadline_set("2017-11-30 16:30")
    dossier.taken_over()
    dossier.settled()
    dossier.result_arrived()
    dossier.returned()
    return dossier


@given(st.randoms(use_true_random=False))
def test_topics_in_any_order_give_the_same_plans(random: object) -> None:
    """There is no order between topics: any merge of the three gives the same plans."""
    dossier = long_dossier()
    ordered = sorted(dossier.events, key=lambda envelope: envelope.source)
    topics = [list(envelopes) for _, envelopes in groupby(ordered, key=lambda envelope: envelope.source)]
    merged = []
    while topics := [topic for topic in topics if topic]:
        merged.append(random.choice(topics).pop(0))  # type: ignore[attr-defined]  # hypothesis's Random
    assert set(expected_plans(merged)) == set(expected_plans(dossier.events))
    assert len(expected_plans(dossier.events)) == 10


@pytest.mark.parametrize(
    ("then", "overtaken"),
    [
        (DossierEvents.taken_over, False),
        (DossierEvents.supplement_required, True),
        (DossierEvents.settled, True),
        (DossierEvents.withdrawn, True),
        (lambda dossier: dossier.deadline_set("2017-11-27 16:30"), False),
        (lambda dossier: dossier.deadline_set("2017-11-29 16:30"), True),
    ],
)
def test_received_alert_is_overtaken_by_state_or_due_date(
    then: Callable[[DossierEvents], AnyEnvelope], overtaken: bool
) -> None:
    """The alert is true while the dossier is in process with that due date."""
    dossier = received()
    dossier.deadline_set("2017-11-27 16:30")
    then(dossier)
    plan = AlertPlan()
    alert, *_ = [alert for envelope in dossier.events for alert in plan_alerts(plan, envelope)]
    due_at = datetime.fromisoformat(alert.values["due_at"])
    assert is_overtaken(plan, moment="received", dossier_sequence=2, due_at=due_at) is overtaken


def test_supplement_alert_is_overtaken_by_received_papers() -> None:
    """A second request has its own alert; the first would ask for papers that were brought."""
    dossier = received()
    dossier.supplement_required()
    plan = AlertPlan()
    for envelope in dossier.events:
        plan_alerts(plan, envelope)
    assert not is_overtaken(plan, moment="supplement_required", dossier_sequence=3, due_at=None)
    plan_alerts(plan, dossier.supplement_received())
    assert is_overtaken(plan, moment="supplement_required", dossier_sequence=3, due_at=None)
    plan_alerts(plan, dossier.supplement_required())
    assert is_overtaken(plan, moment="supplement_required", dossier_sequence=3, due_at=None)
    assert not is_overtaken(plan, moment="supplement_required", dossier_sequence=5, due_at=None)


def test_result_alert_is_overtaken_by_return() -> None:
    """A returned result cannot be collected again."""
    dossier = received()
    plan = AlertPlan()
    for envelope in (*dossier.events, dossier.settled(), dossier.result_arrived()):
        plan_alerts(plan, envelope)
    assert not is_overtaken(plan, moment="result_ready", dossier_sequence=4, due_at=None)
    plan_alerts(plan, dossier.returned())
    assert is_overtaken(plan, moment="result_ready", dossier_sequence=4, due_at=None)


def test_plan_as_of_an_instant_has_the_values_in_force() -> None:
    """State, due date and place are those in force at the instant, inclusive, however the topics interleave."""
    dossier = received()
    due = dossier.deadline_set("2017-11-27 16:30")
    due_at = due.data.model_dump()["due_at"]
    place = dossier.assignment_decided(2)
    required = dossier.supplement_required()
    paused = dossier.deadline_paused()
    came = dossier.supplement_received()
    dossier.deadline_set("2017-11-30 16:30")
    plan = AlertPlan()
    for envelope in (
        *(one for one in dossier.events if isinstance(one.data, DossierEvent)),
        due,
        place,
        paused,
        dossier.events[-1],
    ):
        plan_alerts(plan, envelope)
    then = plan.as_of(required.time)
    assert (then.state, then.state_sequence, then.due_at) == ("supplement_required", required.sequence, due_at)
    assert then.place is not None
    before = plan.as_of(due.time)
    assert (before.state, before.due_at, before.place) == ("received", due_at, None)
    assert plan.as_of(dossier.events[-1].time) == plan
    assert plan.as_of(dossier.events[0].time - timedelta(seconds=1)).state == ""
    assert plan.state_sequence == came.sequence


def test_supplement_alert_is_not_overtaken_before_the_papers_came() -> None:
    """A simulated clock may jump over both events: the message is decided as of the instant of its plan."""
    dossier = received()
    required = dossier.supplement_required()
    came = dossier.supplement_received()
    plan = AlertPlan()
    for envelope in dossier.events:
        plan_alerts(plan, envelope)
    overtaken = [
        is_overtaken(plan.as_of(at), moment="supplement_required", dossier_sequence=required.sequence, due_at=None)
        for at in (required.time, came.time)
    ]
    assert overtaken == [False, True]
