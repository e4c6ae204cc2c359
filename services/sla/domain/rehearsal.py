"""The effect of a changed calendar on open clocks: each due date before and after, and totals by department."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

Effect = Literal["unmoved", "later", "earlier", "gained", "lost"]


@dataclass(frozen=True, slots=True)
class ComparedClock:
    """An open clock's due date by the present and by the proposed calendar; None without one (paused, no term…)."""

    dossier_id: UUID
    code: str | None
    department: str | None
    before: datetime | None
    after: datetime | None

    @property
    def effect(self) -> Effect:
        """How the proposed calendar changes the due date: `gained` without one before, `lost` without one after."""
        if self.before == self.after:
            return "unmoved"
        if self.before is None:
            return "gained"
        if self.after is None:
            return "lost"
        return "later" if self.after > self.before else "earlier"


@dataclass(slots=True)
class Tally:
    """How many open clocks of one department a proposed calendar affects in which way.

    `past` counts the clocks that would be due in the past, and now are due in the future or have no due date.
    `first_moved` and `last_moved` are the first and the last local date that a due date moves away from.
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
        """Add the counts of other clocks of the same department to this tally."""
        for name in ("open", "unmoved", "later", "earlier", "gained", "lost", "past"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        firsts = [day for day in (self.first_moved, other.first_moved) if day is not None]
        lasts = [day for day in (self.last_moved, other.last_moved) if day is not None]
        self.first_moved, self.last_moved = min(firsts, default=None), max(lasts, default=None)

    def count(self, clock: ComparedClock, due_date: date | None, now: datetime) -> None:
        """Count one more clock in this tally; `due_date` is the local date of its present due date."""
        effect = clock.effect
        self.open += 1
        setattr(self, effect, getattr(self, effect) + 1)
        if effect != "unmoved" and due_date is not None:
            self.first_moved = due_date if self.first_moved is None else min(self.first_moved, due_date)
            self.last_moved = due_date if self.last_moved is None else max(self.last_moved, due_date)
        if clock.after is not None and clock.after < now and (clock.before is None or clock.before >= now):
            self.past += 1
