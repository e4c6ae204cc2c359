"""An event log in memory, independent of its file format, and the faults for which a log is rejected."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.catalogue.faults import Fault
from shared.kernel.errors import Refusal
from shared.kernel.words import number_of

MAX_ROWS = 500_000
"""The largest number of rows. A log stays in memory until all of it is checked."""
MAX_BYTES = 1 << 30
"""The size of the largest file, after decompression."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class LogRow:
    """One event with its cells, or, if `is_event` is false, a case without events.

    `line` is where it begins in the file. An empty cell is left out of `cells`. In XES, and by convention in CSV, the
    columns of a case begin with `case:`.
    """

    line: int
    cells: Mapping[str, str]
    is_event: bool = True


@dataclass(frozen=True, slots=True)
class Log:
    """All rows in the order of the file. `left_out` names nested attributes and lists, which have no column."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[LogRow, ...] = field(repr=False)
    left_out: tuple[str, ...] = ()


class LogRefusedError(Refusal):
    """A log or its mapping has faults, so nothing was played. `faults` has all of them, in the order of the file."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line or 0)))
        listed = [f"  {fault}" for fault in self.faults[:_SHOWN]]
        if len(self.faults) > _SHOWN:
            listed.append(f"  and {len(self.faults) - _SHOWN} more")
        head = f"{number_of(len(self.faults), 'fault')}. Nothing was played."
        super().__init__("\n".join([head, *listed]))
