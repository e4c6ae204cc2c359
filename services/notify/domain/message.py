"""The aggregate of a message: one alert on one channel, from its plan to its outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from services.notify.domain.alert_plan import Alert
from services.notify.domain.delivery import (
    Answer,
    Decision,
    Dropped,
    Failed,
    QueryStatus,
    Resend,
    Sent,
    Unknown,
    in_doubt_after,
)
from services.notify.domain.errors import StateTransitionError

Channel = Literal["sms", "email", "none"]
State = Literal["planned", "sent", "delivered", "failed", "unknown", "dropped"]
NextStep = Literal["send", "query_status", "await_answer"]

_IMMEDIATELY = datetime(1970, 1, 1, tzinfo=UTC)
"""Due for the sender as soon as it is planned, regardless of differences between the machines' clocks. (Postgres would
return the year 1 as -infinity, which has no time zone.)"""

_PREVIOUS: Mapping[State, frozenset[State]] = {
    "sent": frozenset({"planned"}),
    "unknown": frozenset({"planned"}),
    "dropped": frozenset({"planned"}),
    "failed": frozenset({"planned", "sent", "unknown", "dropped"}),
    "delivered": frozenset({"sent", "failed", "unknown", "dropped"}),
}
"""State -> the states that it may follow. A delivery receipt overrules an earlier outcome."""


@dataclass(slots=True, kw_only=True)
class Message:
    """A message: one alert on one channel, with its sending state. The migration explains the members.

    The methods change only this object; the caller stores it. Each raises StateTransitionError if the state of the
    message does not allow the change.
    """

    message_id: UUID
    dossier_id: UUID
    dossier_sequence: int
    moment: str
    channel: Channel
    template: str
    template_version: int
    content: dict[str, Any]
    planned_event: UUID
    correlation: str
    planned_at: datetime
    not_before: datetime
    expires_at: datetime
    next_at: datetime
    place: dict[str, Any] | None = None
    state: State = "planned"
    reason: str | None = None
    next_step: NextStep | None = "send"
    attempts: int = 0
    in_doubt: bool = False
    possibly_doubled: bool = False
    parts: int = 1
    reference: str | None = None
    leased_until: datetime | None = None
    lease_token: int = 0

    @classmethod
    def plan(
        cls,
        alert: Alert,
        channel: Channel,
        *,
        dossier_id: UUID,
        template_version: int,
        content: dict[str, Any],
        planned_event: UUID,
        correlation: str,
        planned_at: datetime,
        expires_at: datetime,
    ) -> "Message":
        """Return a new message for an alert on a channel, which the caller stores.

        It may be sent from `planned_at` until `expires_at` (centre time).
        """
        return cls(
            message_id=alert.message_id(channel),
            dossier_id=dossier_id,
            dossier_sequence=alert.dossier_sequence,
            moment=alert.moment,
            channel=channel,
            template=alert.template,
            template_version=template_version,
            content=content,
            planned_event=planned_event,
            correlation=correlation,
            planned_at=planned_at,
            not_before=planned_at,
            expires_at=expires_at,
            next_at=_IMMEDIATELY,
        )

    @property
    def due_at(self) -> datetime | None:
        """The due date in the text; None if the text contains no due date."""
        due_at = self.content.get("due_at")
        return datetime.fromisoformat(due_at) if due_at else None

    @property
    def is_closed(self) -> bool:
        """Whether the message has an outcome, which afterwards only a delivery receipt changes."""
        return self.state != "planned"

    def is_leased_as(self, leased: "Message") -> bool:
        """Whether this message still has the lease token and next step of `leased`, an earlier copy."""
        return self.lease_token == leased.lease_token and self.next_step == leased.next_step

    def start_attempt(self, *, place: dict[str, Any] | None, parts: int, leased_until: datetime) -> None:
        """Record that an attempt to send begins; to be committed before the message is transmitted to the provider.

        `place` (where the applicant goes) and `parts` are those of the text. `leased_until` is machine time.
        """
        self._require_planned()
        self.place = place
        self.parts = parts
        self.attempts += 1
        self.next_step = "await_answer"
        self.leased_until = leased_until

    def postpone(self, until: datetime) -> None:
        """Release the lease without counting an attempt; the message is due again at `until` (machine time)."""
        self._require_planned()
        self.leased_until, self.next_at = None, until

    def record_answer(self, answer: Answer, *, queried: bool) -> None:
        """Update `in_doubt` (may have been sent without proof) by an answer of the provider, and nothing else.

        The answer is to an attempt or (`queried`) to a status query.
        """
        self._require_planned()
        self.in_doubt = in_doubt_after(answer, queried=queried, before=self.in_doubt)

    def apply(self, decision: Decision, *, now: datetime) -> None:
        """Close the message, or schedule its next step, as a delivery decision demands.

        Pauses count from `now` (machine time).
        """
        match decision:
            case Resend(pause, possibly_doubled):
                self._schedule("send", now + pause)
                self.possibly_doubled = possibly_doubled
            case QueryStatus(pause):
                self._schedule("query_status", now + pause)
            case Sent(reference):
                self.mark_sent(reference)
            case Failed(reason):
                self.mark_failed(reason)
            case Unknown():
                self.mark_unknown()
            case Dropped(reason):
                self.mark_dropped(reason)

    def mark_sent(self, reference: str | None = None) -> None:
        """Close the message as sent: the provider accepted it under the identifier `reference`."""
        self._close("sent", None)
        self.reference = reference

    def mark_failed(self, reason: str) -> None:
        """Close the message as failed: the provider rejected it, or reports that it was not delivered.

        `reason` is a slug. The earlier outcomes sent, unknown and dropped are replaced. Raises StateTransitionError
        if the message is failed or delivered.
        """
        self._close("failed", reason)

    def mark_unknown(self) -> None:
        """Close the message with unknown outcome: it may have been sent or not."""
        self._close("unknown", None)

    def mark_dropped(self, reason: str) -> None:
        """Close the message as deliberately not sent. `reason` is a slug."""
        self._close("dropped", reason)

    def mark_delivered(self) -> None:
        """Replace the outcome by delivered: the provider reports that the message reached the applicant.

        Raises StateTransitionError for a message without an attempt, or delivered already: see `accepts_receipt`.
        """
        self._close("delivered", None)

    def accepts_receipt(self, *, delivered: bool) -> bool:
        """Whether a delivery receipt (`delivered` or not) is to change this message. False for a repeated receipt.

        Delivery overrules every other outcome, and a failed delivery every outcome but delivery. A receipt for a
        message without an attempt cannot be true and changes nothing.
        """
        if self.attempts == 0 or self.state == "delivered":
            return False
        return delivered or self.state != "failed"

    def _schedule(self, step: NextStep, at: datetime) -> None:
        self._require_planned()
        self.leased_until, self.next_step, self.next_at = None, step, at

    def _close(self, state: State, reason: str | None) -> None:
        if self.state not in _PREVIOUS[state]:
            raise StateTransitionError(f"Message {self.message_id} is {self.state}, so it cannot become {state}.")
        self.leased_until, self.next_step = None, None
        self.state, self.reason = state, reason

    def _require_planned(self) -> None:
        if self.is_closed:
            raise StateTransitionError(f"Message {self.message_id} is {self.state}, so it cannot be sent.")
