"""The base of all configuration that is in force between two dates, by a decision."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A value in force from `valid_from` to `valid_to`, both included. `valid_to` None: without end.

    `decision` is the document that set the value. `invented` names the fields that have no source and are made up.
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
    """Return the first of `rows` that is in force on a local date; None if no row is.

    `rows` are those of one key: a loaded centre has at most one in force per key and day.
    """
    return next((row for row in rows if row.in_force(on)), None)
