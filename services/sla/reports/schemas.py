"""The response of the report of honest pauses."""

from datetime import date
from uuid import UUID

from pydantic import BaseModel

from services.sla.domain.honest_pauses import FindingKind
from shared.contracts.envelope import Instant


class Listed(BaseModel):
    """One pause or settlement to check.

    `working_seconds` is the working time left at the pause, the length of the pause, or how long the result has been
    missing since the settlement.
    """

    dossier_id: UUID
    code: str | None
    department: str | None
    doubt: FindingKind
    at: Instant
    ground: str | None
    working_seconds: int


class Counted(BaseModel):
    """How many pauses and settlements of a department are to check, by kind."""

    department: str | None
    paused_near_due: int = 0
    paused_too_long: int = 0
    settled_without_result: int = 0


class HonestPauses(BaseModel):
    """Pauses and settlements to check that began from `first` to `last` (local dates, both included).

    `departments` counts all of them. `listed` has the first of them in the order of dossiers; `complete` is false if
    there are more.
    """

    first: date
    last: date
    near_hours: int
    patience_hours: int
    counted_at: Instant
    departments: list[Counted]
    listed: list[Listed]
    complete: bool
