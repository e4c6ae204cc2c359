"""Send policy: which planned messages must not be sent any more."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from services.notify.domain.alert_plan import AlertPlan
from services.notify.domain.message import Message

STILL_TRUE: Mapping[str, frozenset[str]] = {
    "received": frozenset({"received", "processing"}),
    "due_date_changed": frozenset({"received", "processing"}),
}
"""Moment -> the later states in which its alert is still true. Any later state overtakes the alerts of other moments,
including a ready result: to be settled again, the dossier was reopened."""


def is_overtaken(plan: AlertPlan, *, moment: str, dossier_sequence: int, due_at: datetime | None) -> bool:
    """Whether the dossier's current plan makes an alert untrue, because of another state or due date.

    `moment`, `dossier_sequence` and `due_at` are the alert's. The due date counts only if the alert is about it.
    """
    if plan.state_sequence > dossier_sequence and plan.state not in STILL_TRUE.get(moment, ()):
        return True
    return moment in ("received", "due_date_changed") and due_at != plan.due_at


def reason_not_to_send(message: Message, plan: AlertPlan, now: datetime) -> Literal["expired", "overtaken"] | None:
    """Return why a message must not be sent (again) at the centre time `now`; None if it may be sent.

    None as well while the provider's answer to an attempt is pending. A message with a pending status query can only
    be expired, never overtaken.
    """
    if message.next_step == "await_answer":
        return None
    if now > message.expires_at:
        return "expired"
    if message.next_step == "send" and is_overtaken(
        plan, moment=message.moment, dossier_sequence=message.dossier_sequence, due_at=message.due_at
    ):
        return "overtaken"
    return None
