"""Event log files: CSV and XES, compressed or not, are read as a whole or rejected."""

import gzip
from pathlib import Path

import pytest

from motcua.lab.scenarios.event_log.csv_log import read_csv
from motcua.lab.scenarios.event_log.files import read_log
from motcua.lab.scenarios.event_log.log import Log, LogRefusedError
from motcua.lab.scenarios.event_log.xes_log import read_xes
from shared.kernel.errors import StartError
from tests.unit.lab.logs import HEADER, as_csv, as_xes, row

ROWS = [
    row("c1", "t1", "2011-03-02T10:00:00+01:00", group='a "b", c', resource="Ngữ & <x>"),
    row("c1", "t2", "2011-03-02T11:00:00+01:00"),
    row("c2", "t3", "2011-03-01T12:00:00+01:00", end=""),
]


def fault(raw: bytes, *, xes: bool = False) -> str:
    """Return the one fault for which a file is rejected."""
    with pytest.raises(LogRefusedError) as refusal:
        read_xes("log.xes", [raw]) if xes else read_csv("log.csv", raw)
    assert len(refusal.value.faults) == 1
    return str(refusal.value.faults[0])


def cells(log: Log) -> list[dict[str, str]]:
    """Return the rows without their lines, in the order of the file."""
    return [dict(sorted(row.cells.items())) for row in log.rows]


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log.xes", "log.xes.gz", "LOG.XES.GZ"])
def test_log_is_the_same_in_every_file_format(tmp_path: Path, name: str) -> None:
    """Each file format, compressed or not, gives the same rows."""
    raw = as_xes(ROWS) if ".xes" in name.lower() else as_csv(ROWS)
    path = tmp_path / name
    path.write_bytes(gzip.compress(raw) if name.lower().endswith(".gz") else raw)
    log = read_log(path)
    assert cells(log) == cells(read_csv("log.csv", as_csv(ROWS)))
    assert set(log.columns) == set(HEADER)


def test_row_has_the_line_where_it_begins() -> None:
    """The line is right after a value of several lines, and in XES it is the line of the event."""
    rows = [row("c1", "t1", "x", activity="two\nlines"), row("c1", "t2", "x")]
    assert [one.line for one in read_csv("log.csv", as_csv(rows)).rows] == [2, 4]
    raw = as_xes(ROWS)
    lines = raw.decode().splitlines()
    assert [lines[one.line - 1] for one in read_xes("log.xes", [raw]).rows] == ["<event>"] * 3


def test_xes_in_small_chunks_gives_the_same_log() -> None:
    """The log does not depend on how the bytes are cut into chunks."""
    raw = as_xes(ROWS)
    pieces = [raw[at : at + 7] for at in range(0, len(raw), 7)]
    assert cells(read_xes("log.xes", pieces)) == cells(read_xes("log.xes", [raw]))


def test_trace_without_events_is_a_case() -> None:
    """A trace without events becomes one row that is not an event."""
    raw = b'<log>\n<trace><string key="concept:name" value="c9"/></trace>\n</log>'
    [only] = read_xes("log.xes", [raw]).rows
    assert (only.line, only.is_event, only.cells) == (2, False, {"case:concept:name": "c9"})


def test_nested_attributes_are_listed_as_left_out() -> None:
    """A flat log has no place for nested attributes, so their names are listed."""
    raw = (
        b'<log><trace><string key="concept:name" value="c1"/><event>'
        b'<list key="papers"><string key="a" value="b"/></list>'
        b'<string key="concept:name" value="Look"><string key="why" value="x"/></string></event></trace></log>'
    )
    log = read_xes("log.xes", [raw])
    assert cells(log) == [{"case:concept:name": "c1", "concept:name": "Look"}]
    assert log.left_out == ("papers", "concept:name/why")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "log.csv:1: The file is empty"),
        (b"a,b\n", "log.csv:1: No event below the header"),
        (b"a,a\n1,2\n", "log.csv:1: a: The column name is not unique"),
        (b"a,\n1,2\n", "log.csv:1: A column has no name"),
        (b"a,b\n1,2\n1\n", "log.csv:3: 1 values, but 2 columns"),
        (b'a,b\n1,"2\n', "log.csv:2: Not readable as CSV"),
        (b"a,b\n1,\xff\n", "log.csv:2: Byte 7 is not UTF-8"),
        (b"a,b\n1,\0\n", "log.csv:2: The file contains a NUL character"),
    ],
)
def test_invalid_csv_is_rejected_with_its_line(raw: bytes, expected: str) -> None:
    """The fault names file, line and reason."""
    assert fault(raw).startswith(expected)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "log.xes:1: Not well-formed XML"),
        (b"<log>\n<trace>\n</log>", "log.xes:3: Not well-formed XML"),
        (b"<html/>", "log.xes:1: The outermost element is <html>"),
        (b"<log/>", "log.xes:1: The log has no trace"),
        (b"<log><trace>\n<event><string key='a'/></event></trace></log>", "log.xes:2: a: An attribute must have a key"),
        (b"<log><trace><event>\n<text/></event></trace></log>", "log.xes:2: <text> is not an attribute"),
        (
            b"<log><trace><event><string key='a' value='1'/>\n<string key='a' value='2'/></event></trace></log>",
            "log.xes:2: a: The attribute occurs twice",
        ),
        (b"<log><trace>&boom;</trace></log>", "log.xes:1: Not well-formed XML (undefined entity)"),
        (b"<log>" + b"<a>" * 60, "log.xes:1: More than 40 nested elements"),
    ],
)
def test_invalid_xes_is_rejected_with_its_line(raw: bytes, expected: str) -> None:
    """The fault names file, line and reason."""
    assert fault(raw, xes=True).startswith(expected)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE log [<!ENTITY secret SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE log SYSTEM "http://127.0.0.1:9/log.dtd">',
    ],
)
def test_document_type_is_rejected_before_entities_are_expanded(doctype: str) -> None:
    """A document type is rejected, so entities can neither expand nor refer to files and hosts."""
    raw = f"{doctype}\n<log><trace><string key='concept:name' value='&b;&secret;'/></trace></log>".encode()
    assert fault(raw, xes=True).startswith("log.xes:1: The file has a document type")


def test_truncated_gzip_file_is_rejected(tmp_path: Path) -> None:
    """A truncated file is not read as a shorter log."""
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(as_csv(ROWS * 50))[:-40])
    with pytest.raises(LogRefusedError, match="Not a complete gzip file"):
        read_log(path)


def test_uncompressed_file_named_gz_is_rejected(tmp_path: Path) -> None:
    """A file whose name ends in .gz must be a gzip file."""
    path = tmp_path / "log.xes.gz"
    path.write_bytes(as_xes(ROWS))
    with pytest.raises(LogRefusedError, match="Not a complete gzip file"):
        read_log(path)


def test_unknown_file_name_is_rejected(tmp_path: Path) -> None:
    """The format follows from the name and is never guessed."""
    with pytest.raises(LogRefusedError, match=r"\.csv or \.xes"):
        read_log(tmp_path / "log.xlsx")


def test_missing_file_is_a_start_error(tmp_path: Path) -> None:
    """A missing file is a fault of the environment, not of the log."""
    with pytest.raises(StartError, match=r"log\.csv: Cannot be read"):
        read_log(tmp_path / "log.csv")


def test_file_that_decompresses_to_too_much_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size after decompression is limited, so a small file cannot fill the memory."""
    monkeypatch.setattr("motcua.lab.scenarios.event_log.files.MAX_BYTES", 1 << 20)
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(b"a" * (3 << 20)))
    with pytest.raises(LogRefusedError, match="Longer than"):
        read_log(path)
