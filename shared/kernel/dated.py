"""Configuration in force between two dates, by a decision: the base of everything that a centre may change."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A value in force from `valid_from` to `valid_to`, both included; None is open-ended.

    `invented` names the fields that have no source and are made up.
    """

    valid_from: date
    valid_to: date | None = None
    decision: str
    invented: tuple[str, ...] = ()
    note: str = ""

    def in_force(self, on: date) -> bool:
        """Whether the value is in force on the local date `on`."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


D = TypeVar("D", bound=Dated)


def in_force(rows: Iterable[D], on: date) -> D | None:
    """The row in force on a local date, or None. A loaded centre has at most one per key and day."""
    return next((row for row in rows if row.in_force(on)), None)
