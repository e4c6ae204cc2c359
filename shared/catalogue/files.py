"""The files of a centre's folder: read once, hashed, and turned into rows whose every fault has a place."""

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from shared.kernel.errors import StartError
from shared.kernel.words import did_you_mean, number_of

T = TypeVar("T")

_NEEDED = (
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
KNOWN = (*_NEEDED, *_OPTIONAL, *_FOLDERS)
"""Files and folders of a centre, each after those that it refers to."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a centre's folder: where, what, and what to do about it."""

    file: str
    reason: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.reason}" if self.column is None else f"{place}: {self.column}: {self.reason}"


@dataclass(slots=True)
class Problems:
    """The faults found so far; collected, so that a person mends them all in one go."""

    found: list[Problem] = field(default_factory=list)

    def add(self, file: str, reason: str, *, line: int | None = None, column: str | None = None) -> None:
        """Note one fault."""
        self.found.append(Problem(file, reason, line, column))

    def raise_any(self, folder: Path) -> None:
        """Raises StartError that lists every fault, by file and line; does nothing if there is none.

        A file that others refer to comes before them, and first what has no name that a centre knows.
        """
        if not self.found:
            return
        ordered = sorted(self.found, key=lambda problem: (_rank(problem.file), problem.file, problem.line or 0))
        listed = "\n".join(f"  {problem}" for problem in ordered)
        count = number_of(len(ordered), "fault")
        raise StartError(f"{folder}: the centre's configuration has {count}; nothing was loaded.\n{listed}")


@dataclass(frozen=True, slots=True)
class CentreFiles:
    """The bytes of every file, by POSIX path within the folder, and the hash over them all."""

    folder: Path
    content: Mapping[str, bytes] = field(repr=False)
    version: str

    def text(self, name: str, problems: Problems) -> str | None:
        """A file as text; None, with a problem noted, if missing or not UTF-8."""
        raw = self.content.get(name)
        if raw is None:
            problems.add(name, "missing: every centre has this file")
            return None
        return read_text(name, raw, problems)


def _rank(file: str) -> int:
    name, folder, _ = file.partition("/")
    name += folder
    return KNOWN.index(name) if name in KNOWN else -1


def read_text(name: str, raw: bytes, problems: Problems) -> str | None:
    """A file's bytes as text (a byte order mark is passed over); None, with a problem noted, if they are not UTF-8."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.add(name, f"byte {error.start + 1} is not UTF-8: save the file as UTF-8", line=line)
        return None
    if "\0" in text:
        problems.add(name, "holds a NUL character: remove it", line=text.count("\n", 0, text.index("\0")) + 1)
        return None
    return text


def read_files(folder: Path) -> CentreFiles:
    """Read the whole folder once; what is parsed later is what was hashed. Blocks on the disk.

    Files and folders that do not count (see `_counts`) are left out. The hash depends on paths and
    bytes alone. Raises StartError if the folder cannot be read.
    """
    content: dict[str, bytes] = {}
    try:
        if not folder.is_dir():
            where = "" if folder.is_absolute() else f" in {Path.cwd()}"
            raise StartError(
                f"{folder}: there is no such folder{where}; MOTCUA_CENTRE (INTAKE_CENTRE, …) names the centre's"
            )
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if _counts(parts) and path.is_file():
                content["/".join(parts)] = path.read_bytes()
    except OSError as error:
        raise StartError(
            f"{error.filename}: cannot be read ({error.strerror}): give this process the right to"
        ) from error
    digest = hashlib.sha256()
    for name in sorted(content):
        for part in (name.encode(), content[name]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return CentreFiles(folder, content, digest.hexdigest()[:16])


def _counts(parts: Sequence[str]) -> bool:
    """Whether a path is configuration: not what editors, desktops and mounted volumes leave behind (a dot first; ~ or #
    at either end), and no README at the top, whose words change nothing."""
    leftover = any(part[0] in ".~#" or part[-1] in "~#" for part in parts)
    return not leftover and not (len(parts) == 1 and parts[0].partition(".")[0].upper() == "README")


@dataclass(slots=True)
class Row:
    """One line of a table (or one section of the settings): read cell by cell, faults noted with their place."""

    file: str
    cells: Mapping[str, str]
    problems: Problems
    line: int
    sound: bool = True

    def read(self, column: str, parse: Callable[[str], T]) -> T:
        """The cell's value. `parse` raises ValueError with a reason; the fault is noted and the row is unsound: what
        is built from it must be thrown away (so that the row's other faults are found, too)."""
        try:
            return parse(self.cells[column])
        except ValueError as error:
            self.fault(str(error), column)
            return cast(T, None)

    def fault(self, reason: str, column: str | None = None) -> None:
        """Note a fault of this row."""
        self.sound = False
        self.problems.add(self.file, reason, line=self.line, column=column)


def read_rows(
    files: CentreFiles, name: str, columns: Sequence[str], problems: Problems, build: Callable[[Row], T]
) -> list[tuple[int, T]]:
    """Every sound line of a CSV file (comma, double quotes, a header with exactly `columns`) with its line number.

    Unknown, missing and doubled columns, lines of another width, spaces around values and broken quotes are problems.
    """
    text = files.text(name, problems)
    if text is None:
        return []
    built = []
    for row in _rows(name, text, columns, problems):
        value = build(row)
        if row.sound:
            built.append((row.line, value))
    return built


def _rows(name: str, text: str, columns: Sequence[str], problems: Problems) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    before = 0
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            if header is None:
                if not _header_fits(name, cells, columns, problems):
                    return
                header = cells
            elif not cells:
                problems.add(name, "empty line: remove it", line=line)
            elif len(cells) != len(header):
                problems.add(
                    name,
                    f"{len(cells)} values where the header names {len(header)}: quote values that hold a comma",
                    line=line,
                )
            else:
                row = Row(name, dict(zip(header, cells, strict=True)), problems, line)
                for column, cell in row.cells.items():
                    if cell != cell.strip():
                        row.fault(f"{cell!r} has spaces around it: remove them", column)
                if row.sound:
                    yield row
    except csv.Error as error:
        problems.add(name, f"not readable as CSV ({error}): check the quotes", line=before + 1)
    if header is None:
        problems.add(name, f"empty: the first line must be {','.join(columns)}", line=1)


def _header_fits(name: str, header: Sequence[str], columns: Sequence[str], problems: Problems) -> bool:
    known = len(problems.found)
    if len(header) == 1 and header[0].split(";") == list(columns):
        problems.add(name, "semicolons between the values: save it with commas", line=1)
        return False
    for column in sorted({column for column in header if header.count(column) > 1}):
        problems.add(name, "column named twice: keep one", line=1, column=column)
    absent = [column for column in columns if column not in header]
    for column in header:
        if column not in columns:
            problems.add(
                name,
                f"unknown column{did_you_mean(column, absent)}: expected are {', '.join(columns)}",
                line=1,
                column=column or "(empty)",
            )
    for column in absent:
        problems.add(name, "column missing: add it, empty where nothing is known", line=1, column=column)
    return len(problems.found) == known
