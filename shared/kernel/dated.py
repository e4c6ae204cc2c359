"""What is in force from a day on, by a decision: the base of everything that a centre may change."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """Something in force from `valid_from` to `valid_to`, both days included; None: until further notice.

    `invented` names the fields that are made up for want of a source.
    """

    valid_from: date
    valid_to: date | None = None
    decision: str
    invented: tuple[str, ...] = ()
    note: str = ""

    def in_force(self, on: date) -> bool:
        """Whether the local date `on` lies within."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


D = TypeVar("D", bound=Dated)


def in_force(rows: Iterable[D], on: date) -> D | None:
    """The one row in force on that local date; a loaded centre never holds two for the same key."""
    return next((row for row in rows if row.in_force(on)), None)
