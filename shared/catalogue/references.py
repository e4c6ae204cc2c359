"""The check of references between files: each unknown name is one fault, however many lines contain it."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from shared.catalogue.faults import Faults
from shared.kernel.dated import Dated
from shared.kernel.words import number_of

K = TypeVar("K", bound=Hashable)

_DAY = timedelta(days=1)


@dataclass(slots=True)
class References:
    """Collects references to unknown names while lines are checked; `report` then adds one fault per name."""

    _faults: Faults
    _unknown: dict[tuple[str, str], list[tuple[str, int, str]]] = field(default_factory=dict)
    _empty: dict[str, int] = field(default_factory=dict)

    def check(
        self, file: str, line: int, column: str, key: K, row: Dated, other: str, known: Mapping[K, tuple[Dated, ...]]
    ) -> None:
        """Check that the name `key` in a line is known in the file `other`, and in force there on every day of `row`.

        A gap is added as a fault at once; an unknown name, or a file `other` without lines, only by `report`. `file`,
        `line` and `column` are the place of the reference, `known` the rows of `other` by name.
        """
        rows = known.get(key, ())
        gap = first_gap(rows, row.valid_from, row.valid_to)
        if not known:
            self._empty[other] = self._empty.get(other, 0) + 1
        elif not rows:
            reason = f"{key!r} is not in {other}. Correct it, or add it there."
            self._unknown.setdefault((other, reason), []).append((file, line, column))
        elif gap is not None:
            reason = f"{key!r} is not in force on {gap}, but this line is. Correct one date."
            self._faults.add(file, reason, line=line, column=column)

    def report(self) -> None:
        """Add one fault per unknown name, at its first place, and one per empty file, with the number of references."""
        for other, count in self._empty.items():
            references = f"{number_of(count, 'line')} of other files {'refers' if count == 1 else 'refer'} to it"
            self._faults.add(other, f"The file has no lines below the header, but {references}. Add them.")
        for (_, reason), ((file, line, column), *more) in self._unknown.items():
            also = f" It occurs in {number_of(len(more), 'other place')} as well." if more else ""
            self._faults.add(file, reason + also, line=line, column=column)


def first_gap(rows: Iterable[Dated], start: date, end: date | None) -> date | None:
    """Return the first day from `start` to `end` on which no row is in force; None if one is on every day.

    `end` None is open-ended. Rows are oldest first.
    """
    day = start
    for row in rows:
        if row.valid_from > day:
            break
        if row.valid_to is None:
            return None
        day = max(day, row.valid_to + _DAY)
    return day if end is None or day <= end else None
