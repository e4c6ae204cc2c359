"""The send policy: which planned messages must not be sent any more."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.notify.domain.alert_plan import Alert, AlertPlan
from services.notify.domain.message import Message
from services.notify.domain.send_policy import reason_not_to_send

AT = datetime(2017, 11, 20, 2, 0, tzinfo=UTC)
EXPIRES_AT = AT + timedelta(hours=1)
LATER = EXPIRES_AT + timedelta(seconds=1)
ID = UUID(int=1)
CURRENT = AlertPlan(state="supplement_required", state_sequence=3)
OVERTAKING = AlertPlan(state="received", state_sequence=4)


def planned() -> Message:
    """The message of a supplement request."""
    alert = Alert(ID, 3, "supplement_required", "supplement_required", AT, ("sms",), {})
    return Message.plan(
        alert,
        "sms",
        dossier_id=ID,
        template_version=1,
        content={},
        planned_event=ID,
        correlation="test",
        planned_at=AT,
        expires_at=EXPIRES_AT,
    )


def test_current_message_may_be_sent_until_it_expires() -> None:
    """The expiry instant itself is included."""
    assert reason_not_to_send(planned(), CURRENT, EXPIRES_AT) is None
    assert reason_not_to_send(planned(), CURRENT, LATER) == "expired"


def test_overtaken_message_must_not_be_sent() -> None:
    """A later state makes the alert untrue."""
    assert reason_not_to_send(planned(), OVERTAKING, AT) == "overtaken"


def test_message_under_way_is_not_closed() -> None:
    """Its outcome follows from the provider's answer."""
    message = planned()
    message.start_attempt(place=None, parts=1, leased_until=AT)
    assert reason_not_to_send(message, OVERTAKING, LATER) is None


def test_message_with_pending_query_can_only_expire() -> None:
    """The provider may already have the message, so only its answer or the expiry decides."""
    message = planned()
    message.next_step = "query_status"
    assert reason_not_to_send(message, OVERTAKING, AT) is None
    assert reason_not_to_send(message, OVERTAKING, LATER) == "expired"
