"""What a changed calendar would do to open clocks: each compared with itself, and summed up by department."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

How = Literal["unmoved", "later", "earlier", "gained", "lost"]


@dataclass(frozen=True, slots=True)
class Compared:
    """An open clock's due date as it stands and as it would be; None where there is none (paused, no term, waiting)."""

    dossier_id: UUID
    code: str | None
    department: str | None
    before: datetime | None
    after: datetime | None

    @property
    def how(self) -> How:
        """What becomes of the due date."""
        if self.before == self.after:
            return "unmoved"
        if self.before is None:
            return "gained"
        if self.after is None:
            return "lost"
        return "later" if self.after > self.before else "earlier"


@dataclass(slots=True)
class Tally:
    """A department's open clocks: how many there are, and what becomes of their due dates.

    `past` of them would be due before now, and are not yet. `first_moved` and `last_moved` are the first and the last
    of the local dates from which due dates go away.
    """

    open: int = 0
    unmoved: int = 0
    later: int = 0
    earlier: int = 0
    gained: int = 0
    lost: int = 0
    past: int = 0
    first_moved: date | None = None
    last_moved: date | None = None

    def add(self, other: "Tally") -> None:
        """Take other clocks of the same department into account."""
        for how in ("open", "unmoved", "later", "earlier", "gained", "lost", "past"):
            setattr(self, how, getattr(self, how) + getattr(other, how))
        firsts = [day for day in (self.first_moved, other.first_moved) if day is not None]
        lasts = [day for day in (self.last_moved, other.last_moved) if day is not None]
        self.first_moved, self.last_moved = min(firsts, default=None), max(lasts, default=None)

    def count(self, clock: Compared, due_date: date | None, now: datetime) -> None:
        """Take one more clock into account; `due_date` is the local date of its due date as it stands."""
        how = clock.how
        self.open += 1
        setattr(self, how, getattr(self, how) + 1)
        if how != "unmoved" and due_date is not None:
            self.first_moved = due_date if self.first_moved is None else min(self.first_moved, due_date)
            self.last_moved = due_date if self.last_moved is None else max(self.last_moved, due_date)
        if clock.after is not None and clock.after < now and (clock.before is None or clock.before >= now):
            self.past += 1
