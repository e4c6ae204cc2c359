"""The message aggregate: which state may follow which, and which delivery receipts count."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.notify.domain.alert_plan import Alert
from services.notify.domain.delivery import Decision, Dropped, Failed, QueryStatus, Resend, Sent, Unknown
from services.notify.domain.errors import StateTransitionError
from services.notify.domain.message import Message

AT = datetime(2017, 11, 20, 2, 0, tzinfo=UTC)
ID = UUID(int=1)


def planned() -> Message:
    """A planned SMS."""
    alert = Alert(ID, 4, "result_ready", "result_ready", AT, ("sms",), {})
    return Message.plan(
        alert,
        "sms",
        dossier_id=ID,
        template_version=1,
        content={},
        planned_event=ID,
        correlation="test",
        planned_at=AT,
        expires_at=AT + timedelta(hours=1),
    )


def attempted() -> Message:
    """A message that a provider may have."""
    message = planned()
    message.start_attempt(place=None, parts=2, leased_until=AT)
    return message


def closed(decision: Decision) -> Message:
    """A message with the outcome of a decision."""
    message = attempted()
    message.apply(decision, now=AT)
    return message


def test_planned_message_is_due_at_once() -> None:
    """The sender sends a new message in its next round, with the id that the alert derives."""
    message = planned()
    assert (message.state, message.next_step, message.is_closed) == ("planned", "send", False)
    assert message.next_at < AT
    assert message.leased_until is None


def test_attempt_is_recorded_before_the_answer() -> None:
    """From the start of an attempt on, the next step is the provider's answer."""
    message = attempted()
    assert (message.state, message.next_step, message.attempts, message.parts) == ("planned", "await_answer", 1, 2)
    assert message.leased_until == AT


def test_postponed_message_returns_its_lease_without_attempt() -> None:
    """Without a contact nothing was sent, so nothing is counted."""
    message = replace(planned(), leased_until=AT)
    message.postpone(AT)
    assert (message.leased_until, message.next_at, message.attempts, message.next_step) == (None, AT, 0, "send")


@pytest.mark.parametrize(
    ("decision", "step", "possibly_doubled"),
    [
        (Resend(timedelta(seconds=2)), "send", False),
        (Resend(timedelta(seconds=2), possibly_doubled=True), "send", True),
        (QueryStatus(timedelta(seconds=2)), "query_status", False),
    ],
)
def test_decision_to_continue_schedules_the_next_step(decision: Decision, step: str, possibly_doubled: bool) -> None:
    """The pause counts from the decision, and the lease is returned."""
    message = closed(decision)
    assert (message.next_step, message.next_at) == (step, AT + timedelta(seconds=2))
    assert (message.leased_until, message.possibly_doubled, message.is_closed) == (None, possibly_doubled, False)


@pytest.mark.parametrize(
    ("decision", "state", "reason", "reference"),
    [
        (Sent("ref"), "sent", None, "ref"),
        (Failed("http_422"), "failed", "http_422", None),
        (Unknown(), "unknown", None, None),
        (Dropped("expired"), "dropped", "expired", None),
    ],
)
def test_decision_to_close_gives_the_outcome(
    decision: Decision, state: str, reason: str | None, reference: str | None
) -> None:
    """A closed message has an outcome, no next step and no lease."""
    message = closed(decision)
    assert (message.state, message.reason, message.reference) == (state, reason, reference)
    assert (message.next_step, message.leased_until, message.is_closed) == (None, None, True)


@pytest.mark.parametrize("decision", [Sent(), Failed("http_422"), Unknown(), Dropped("expired")])
@pytest.mark.parametrize(
    "change",
    [
        lambda message: message.start_attempt(place=None, parts=1, leased_until=AT),
        lambda message: message.postpone(AT),
        lambda message: message.apply(Resend(timedelta()), now=AT),
        lambda message: message.apply(QueryStatus(timedelta()), now=AT),
        Message.mark_sent,
        Message.mark_unknown,
        lambda message: message.mark_dropped("expired"),
    ],
)
def test_closed_message_cannot_be_sent(decision: Decision, change: Callable[[Message], None]) -> None:
    """After an outcome only a delivery receipt changes a message."""
    message = closed(decision)
    with pytest.raises(StateTransitionError):
        change(message)
    assert message == closed(decision)


@pytest.mark.parametrize("decision", [Sent(), Failed("http_422"), Unknown(), Dropped("expired")])
def test_receipt_of_delivery_overrules_every_outcome(decision: Decision) -> None:
    """A receipt is later than the provider's first answer; a repeated one changes nothing."""
    message = closed(decision)
    assert message.accepts_receipt(delivered=True)
    message.mark_delivered()
    assert (message.state, message.reason) == ("delivered", None)
    assert not message.accepts_receipt(delivered=True)
    assert not message.accepts_receipt(delivered=False)


@pytest.mark.parametrize(
    ("decision", "accepted"),
    [(Sent(), True), (Unknown(), True), (Dropped("expired"), True), (Failed("http_422"), False)],
)
def test_receipt_of_failed_delivery_overrules_all_but_failure(decision: Decision, accepted: bool) -> None:
    """A message that failed already has its reason."""
    assert closed(decision).accepts_receipt(delivered=False) is accepted


def test_receipt_for_message_without_attempt_is_not_accepted() -> None:
    """A message that was never sent cannot have been delivered."""
    assert not planned().accepts_receipt(delivered=True)
    assert not planned().accepts_receipt(delivered=False)


def test_delivered_message_cannot_fail() -> None:
    """Delivery is final."""
    message = closed(Sent())
    message.mark_delivered()
    with pytest.raises(StateTransitionError, match="is delivered, so it cannot become failed"):
        message.mark_failed("undelivered")
