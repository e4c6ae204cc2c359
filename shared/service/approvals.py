"""The life cycle of a proposal: proposed, then approved or rejected by a leader, or lapsed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.kernel.errors import ProposalDecidedError

ProposalState = Literal["proposed", "approved", "rejected", "lapsed"]
"""`lapsed`: a rule or another decision made the proposal obsolete before a leader decided about it."""


@dataclass(slots=True, kw_only=True)
class ProposalRow:
    """The columns that every kind of proposal has; a subclass adds what is proposed. Methods change only the object.

    `decision` is the number of the signed decision, `reason` the reason of a rejection or lapse. `decided_by` is the
    account that approved, rejected or lapsed the proposal. Instants are centre time.
    """

    proposal_id: UUID
    proposed_at: datetime
    state: ProposalState = "proposed"
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision: str | None = None
    reason: str | None = None

    def require_open(self) -> None:
        """Raises ProposalDecidedError if the proposal is approved, rejected or lapsed.

        The message names who decided, when, and by which decision or for which reason.
        """
        if self.state != "proposed":
            at = "" if self.decided_at is None else f" at {self.decided_at.isoformat()}"
            raise ProposalDecidedError(
                f"The proposal is already {self.state} by {self.decided_by}{at} ({self.decision or self.reason})."
            )

    def approve(self, *, decision: str, by: str, at: datetime) -> None:
        """Mark the proposal as approved by the signed `decision`. Raises ProposalDecidedError if already decided."""
        self._decide("approved", by, at, decision, None)

    def reject(self, *, reason: str, by: str, at: datetime, decision: str | None = None) -> None:
        """Mark the proposal as rejected for a `reason`. Raises ProposalDecidedError if already decided."""
        self._decide("rejected", by, at, decision, reason)

    def lapse(self, *, reason: str, by: str, at: datetime) -> None:
        """Mark the proposal as obsolete for a `reason`. Raises ProposalDecidedError if already decided."""
        self._decide("lapsed", by, at, None, reason)

    def _decide(self, state: ProposalState, by: str, at: datetime, decision: str | None, reason: str | None) -> None:
        self.require_open()
        self.state, self.decided_by, self.decided_at = state, by, at
        self.decision, self.reason = decision, reason
