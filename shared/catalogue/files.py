"""Reading of a centre's folder: every file once, with a hash of all of them, and CSV files as rows."""

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from shared.catalogue.faults import Faults
from shared.kernel.errors import StartError
from shared.kernel.words import did_you_mean

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CentreFiles:
    """The files of a centre's folder: `content` by POSIX path within the folder, and their hash as `version`."""

    folder: Path
    content: Mapping[str, bytes] = field(repr=False)
    version: str

    def text(self, name: str, faults: Faults) -> str | None:
        """Return the text of a required file; None, after adding a fault, if it is missing or cannot be decoded."""
        raw = self.content.get(name)
        if raw is None:
            faults.add(name, "The file is missing. Every centre needs it.")
            return None
        return read_text(name, raw, faults)


def read_text(name: str, raw: bytes, faults: Faults) -> str | None:
    """Decode the bytes of a file as UTF-8, without a byte order mark.

    Returns None, after adding a fault, if they are not UTF-8 or contain the character NUL.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        faults.add(name, f"Byte {error.start + 1} is not UTF-8. Save the file as UTF-8.", line=line)
        return None
    if "\0" in text:
        faults.add(
            name, "The file contains a NUL character. Remove it.", line=text.count("\n", 0, text.index("\0")) + 1
        )
        return None
    return text


def read_files(folder: Path) -> CentreFiles:
    """Read the configuration files of a folder, each once: what is hashed is also what is parsed. Blocks on the disk.

    Hidden files, leftovers of editors and the README are ignored (see `_is_configuration`). The hash depends only on
    paths and contents. Raises StartError if the folder or a file cannot be read.
    """
    content: dict[str, bytes] = {}
    try:
        if not folder.is_dir():
            where = "" if folder.is_absolute() else f" in {Path.cwd()}"
            raise StartError(
                f"{folder}: no such folder{where}. Set MOTCUA_CENTRE (INTAKE_CENTRE, …) to the centre's folder."
            )
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if _is_configuration(parts) and path.is_file():
                content["/".join(parts)] = path.read_bytes()
    except OSError as error:
        raise StartError(
            f"{error.filename}: the file cannot be read ({error.strerror}). Allow this process to read it."
        ) from error
    digest = hashlib.sha256()
    for name in sorted(content):
        for part in (name.encode(), content[name]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return CentreFiles(folder, content, digest.hexdigest()[:16])


def _is_configuration(parts: Sequence[str]) -> bool:
    """Whether a path within the folder, split into `parts`, is a configuration file.

    The README of the folder is not one, nor is what editors, desktops or mounted volumes leave: names with a leading
    dot, or with ~ or # at either end.
    """
    leftover = any(part[0] in ".~#" or part[-1] in "~#" for part in parts)
    return not leftover and not (len(parts) == 1 and parts[0].partition(".")[0].upper() == "README")


@dataclass(slots=True)
class CsvRow:
    """One line of a CSV file, whose cells are parsed one by one. Faults are added with file, line and column."""

    file: str
    cells: Mapping[str, str]
    faults: Faults
    line: int
    valid: bool = True

    def read(self, column: str, parse: Callable[[str], T]) -> T:
        """Parse a cell and return its value; None, after adding a fault, if `parse` raises ValueError.

        The row is then no longer `valid`. The type does not show the None: read the other cells as well, so that their
        faults are found, and discard the result.
        """
        try:
            return parse(self.cells[column])
        except ValueError as error:
            self.fault(str(error), column)
            return cast(T, None)

    def fault(self, reason: str, column: str | None = None) -> None:
        """Add a fault of this row and mark the row as not `valid`."""
        self.valid = False
        self.faults.add(self.file, reason, line=self.line, column=column)


def read_rows(
    files: CentreFiles, name: str, columns: Sequence[str], faults: Faults, build: Callable[[CsvRow], T]
) -> list[tuple[int, T]]:
    """Read a CSV file and return the line number and the value of each valid line; add the faults of all others.

    `build` makes the value of a line. The format is comma, double quotes, and a header with exactly `columns`. Unknown,
    missing and duplicate columns, lines of another width, spaces around values and broken quotes are faults. The result
    is empty, and a fault is added, if the file is missing.
    """
    text = files.text(name, faults)
    if text is None:
        return []
    built = []
    for row in _rows(name, text, columns, faults):
        value = build(row)
        if row.valid:
            built.append((row.line, value))
    return built


def _rows(name: str, text: str, columns: Sequence[str], faults: Faults) -> Iterator[CsvRow]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    before = 0
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            if header is None:
                if not _is_header(name, cells, columns, faults):
                    return
                header = cells
            elif not cells:
                faults.add(name, "The line is empty. Remove it.", line=line)
            elif len(cells) != len(header):
                faults.add(
                    name,
                    f"The line has {len(cells)} values, but the header has {len(header)}. Quote values with commas.",
                    line=line,
                )
            else:
                row = CsvRow(name, dict(zip(header, cells, strict=True)), faults, line)
                for column, cell in row.cells.items():
                    if cell != cell.strip():
                        row.fault(f"{cell!r} begins or ends with a space. Remove it.", column)
                if row.valid:
                    yield row
    except csv.Error as error:
        faults.add(name, f"The file is not valid CSV ({error}). Check the quotes.", line=before + 1)
    if header is None:
        faults.add(name, f"The file is empty. The first line must be {','.join(columns)}.", line=1)


def _is_header(name: str, header: Sequence[str], columns: Sequence[str], faults: Faults) -> bool:
    known = len(faults.found)
    if len(header) == 1 and header[0].split(";") == list(columns):
        faults.add(name, "The values are separated by semicolons. Save the file with commas.", line=1)
        return False
    for column in sorted({column for column in header if header.count(column) > 1}):
        faults.add(name, "The column occurs twice. Remove one.", line=1, column=column)
    absent = [column for column in columns if column not in header]
    for column in header:
        if column not in columns:
            faults.add(
                name,
                f"Unknown column{did_you_mean(column, absent)}. The columns are {', '.join(columns)}.",
                line=1,
                column=column or "(empty)",
            )
    for column in absent:
        faults.add(
            name, "The column is missing. Add it; its cells may be empty where nothing is known.", line=1, column=column
        )
    return len(faults.found) == known
