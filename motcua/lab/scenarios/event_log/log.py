"""An event log in memory, whichever file it came from, and the faults for which one is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.kernel.errors import Refusal
from shared.kernel.words import number_of

MAX_ROWS = 500_000
"""More rows than this are refused: a log is held in memory until the whole of it is checked."""
MAX_BYTES = 1 << 30
"""The longest file, unpacked."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class LogRow:
    """One event. `line` is where it begins in the file; a column without a cell is empty.

    Columns of the case begin with `case:`, as XES tools write them. A case without any event stands as one row with
    `is_event` false.
    """

    line: int
    cells: Mapping[str, str]
    is_event: bool = True


@dataclass(frozen=True, slots=True)
class Log:
    """Every row in the order of the file. `left_out` names what a flat log cannot hold (nested attributes)."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[LogRow, ...] = field(repr=False)
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file is refused: where, what, and what to do about it."""

    file: str
    reason: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.reason}" if self.column is None else f"{place}: {self.column}: {self.reason}"


class LogRefusedError(Refusal):
    """A log or its mapping has faults; nothing of it was played. `faults` holds all of them, in the file's order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line or 0)))
        listed = [f"  {fault}" for fault in self.faults[:_SHOWN]]
        if len(self.faults) > _SHOWN:
            listed.append(f"  and {len(self.faults) - _SHOWN} more")
        head = f"{number_of(len(self.faults), 'fault')}; nothing was played."
        super().__init__("\n".join([head, *listed]))
