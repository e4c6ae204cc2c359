"""Faults in input files, above all in a centre's folder: collected, then reported all at once."""

from dataclasses import dataclass, field
from pathlib import Path

from shared.kernel.errors import StartError
from shared.kernel.words import number_of

_REQUIRED = (
    "centre.toml",
    "calendars.csv",
    "departments.csv",
    "counters.csv",
    "procedures.csv",
    "requirements.csv",
    "receiving.csv",
)
_OPTIONAL = ("steps.csv", "staffing.csv", "service_times.csv", "runs.csv", "activities.csv")
_FOLDERS = ("calendars/", "messages/")
KNOWN = (*_REQUIRED, *_OPTIONAL, *_FOLDERS)
"""The files and folders of a centre, each after those that it refers to."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in an input file: the file, the line and column if known, what is wrong, and the remedy."""

    file: str
    reason: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.reason}" if self.column is None else f"{place}: {self.column}: {self.reason}"


@dataclass(slots=True)
class Faults:
    """Collects the faults in a centre's folder, so that all can be reported together and corrected at once."""

    found: list[Fault] = field(default_factory=list)

    def add(self, file: str, reason: str, *, line: int | None = None, column: str | None = None) -> None:
        """Add one fault; raises nothing. `reason` states the fault and the remedy."""
        self.found.append(Fault(file, reason, line, column))

    def raise_any(self, folder: Path) -> None:
        """Raises StartError that lists every fault; does nothing if there are no faults.

        The faults are ordered by file and line. Those of unknown files come first, then those of each file before those
        of the files that refer to it.
        """
        if not self.found:
            return
        ordered = sorted(self.found, key=lambda fault: (_rank(fault.file), fault.file, fault.line or 0))
        listed = "\n".join(f"  {fault}" for fault in ordered)
        count = number_of(len(ordered), "fault")
        raise StartError(f"{folder}: the centre's configuration has {count}; nothing was loaded.\n{listed}")


def _rank(file: str) -> int:
    name, folder, _ = file.partition("/")
    name += folder
    return KNOWN.index(name) if name in KNOWN else -1
