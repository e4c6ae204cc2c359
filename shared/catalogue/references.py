"""What lines name of other files: told once for each name, however many lines name it."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypeVar

from shared.catalogue.files import Problems
from shared.kernel.dated import Dated
from shared.kernel.words import number_of

K = TypeVar("K", bound=Hashable)

_DAY = timedelta(days=1)


@dataclass(slots=True)
class References:
    """What is named and not there; unknown names are noted by `tell`, once all was checked."""

    _problems: Problems
    _unknown: dict[tuple[str, str], list[tuple[str, int, str]]] = field(default_factory=dict)
    _empty: dict[str, int] = field(default_factory=dict)

    def check(
        self, file: str, line: int, column: str, key: K, row: Dated, other: str, known: Mapping[K, tuple[Dated, ...]]
    ) -> None:
        """Whatever a row names of the `other` file is in force as long as the row is."""
        rows = known.get(key, ())
        gap = first_gap(rows, row.valid_from, row.valid_to)
        if not known:
            self._empty[other] = self._empty.get(other, 0) + 1
        elif not rows:
            reason = f"{key!r} is not known: mend it, or enter it in its own file"
            self._unknown.setdefault((other, reason), []).append((file, line, column))
        elif gap is not None:
            reason = f"{key!r} is not in force on {gap}, but this line is"
            self._problems.add(file, reason, line=line, column=column)

    def tell(self) -> None:
        """Note each unknown name at its first place, with how many more there are; those of an empty file as one."""
        for other, count in self._empty.items():
            naming = f"{number_of(count, 'line')} of other files {'names' if count == 1 else 'name'}"
            self._problems.add(other, f"no line but the header: {naming} what is missing here")
        for (_, reason), ((file, line, column), *more) in self._unknown.items():
            also = f" (as {number_of(len(more), 'further place')} {'does' if len(more) == 1 else 'do'})" if more else ""
            self._problems.add(file, reason + also, line=line, column=column)


def first_gap(rows: Iterable[Dated], start: date, end: date | None) -> date | None:
    """The first day from `start` to `end` (None: for ever) on which none of the rows, oldest first, is in force."""
    day = start
    for row in rows:
        if row.valid_from > day:
            break
        if row.valid_to is None:
            return None
        day = max(day, row.valid_to + _DAY)
    return day if end is None or day <= end else None
