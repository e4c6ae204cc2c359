"""Reading a log's file: CSV and XES alike, packed or not, and refused whole where it is not one."""

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
    """The one fault for which a file is refused."""
    with pytest.raises(LogRefusedError) as refusal:
        read_xes("log.xes", [raw]) if xes else read_csv("log.csv", raw)
    assert len(refusal.value.faults) == 1
    return str(refusal.value.faults[0])


def cells(log: Log) -> list[dict[str, str]]:
    """The rows without their lines, in the order of the file."""
    return [dict(sorted(row.cells.items())) for row in log.rows]


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log.xes", "log.xes.gz", "LOG.XES.GZ"])
def test_every_form_gives_the_same_log(tmp_path: Path, name: str) -> None:
    """The same rows, whichever file they come from."""
    raw = as_xes(ROWS) if ".xes" in name.lower() else as_csv(ROWS)
    path = tmp_path / name
    path.write_bytes(gzip.compress(raw) if name.lower().endswith(".gz") else raw)
    log = read_log(path)
    assert cells(log) == cells(read_csv("log.csv", as_csv(ROWS)))
    assert set(log.columns) == set(HEADER)


def test_rows_know_their_line() -> None:
    """Also behind a value that fills several lines, and in XES, where a row begins with its event."""
    rows = [row("c1", "t1", "x", activity="two\nlines"), row("c1", "t2", "x")]
    assert [one.line for one in read_csv("log.csv", as_csv(rows)).rows] == [2, 4]
    raw = as_xes(ROWS)
    lines = raw.decode().splitlines()
    assert [lines[one.line - 1] for one in read_xes("log.xes", [raw]).rows] == ["<event>"] * 3


def test_xes_is_read_in_any_pieces() -> None:
    """However the file is cut on its way, the log is the same."""
    raw = as_xes(ROWS)
    pieces = [raw[at : at + 7] for at in range(0, len(raw), 7)]
    assert cells(read_xes("log.xes", pieces)) == cells(read_xes("log.xes", [raw]))


def test_a_trace_without_events_is_a_case() -> None:
    """Nothing of a log is lost, not even a case to which nothing happened."""
    raw = b'<log>\n<trace><string key="concept:name" value="c9"/></trace>\n</log>'
    [only] = read_xes("log.xes", [raw]).rows
    assert (only.line, only.is_event, only.cells) == (2, False, {"case:concept:name": "c9"})


def test_attributes_within_attributes_are_named_as_left_out() -> None:
    """A flat log has no place for them, and says so."""
    raw = (
        b'<log><trace><string key="concept:name" value="c1"/><event>'
        b'<list key="papers"><string key="a" value="b"/></list>'
        b'<string key="concept:name" value="Look"><string key="why" value="x"/></string></event></trace></log>'
    )
    log = read_xes("log.xes", [raw])
    assert cells(log) == [{"case:concept:name": "c1", "concept:name": "Look"}]
    assert log.left_out == ("papers", "concept:name/why")


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "log.csv:1: empty"),
        (b"a,b\n", "log.csv:1: no event below the header"),
        (b"a,a\n1,2\n", "log.csv:1: a: column named twice"),
        (b"a,\n1,2\n", "log.csv:1: a column without a name"),
        (b"a,b\n1,2\n1\n", "log.csv:3: 1 values where the header names 2"),
        (b'a,b\n1,"2\n', "log.csv:2: not readable as CSV"),
        (b"a,b\n1,\xff\n", "log.csv:2: byte 7 is not UTF-8"),
        (b"a,b\n1,\0\n", "log.csv:2: holds a NUL character"),
    ],
)
def test_csv_that_is_none_is_refused_with_its_line(raw: bytes, told: str) -> None:
    """A sentence with file, line and what to do; nothing is guessed."""
    assert fault(raw).startswith(told)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "log.xes:1: not well-formed XML"),
        (b"<log>\n<trace>\n</log>", "log.xes:3: not well-formed XML"),
        (b"<html/>", "log.xes:1: the outermost element is <html>"),
        (b"<log/>", "log.xes:1: holds no trace"),
        (b"<log><trace>\n<event><string key='a'/></event></trace></log>", "log.xes:2: a: an attribute has a key"),
        (b"<log><trace><event>\n<text/></event></trace></log>", "log.xes:2: <text> is no attribute"),
        (
            b"<log><trace><event><string key='a' value='1'/>\n<string key='a' value='2'/></event></trace></log>",
            "log.xes:2: a: stands twice",
        ),
        (b"<log><trace>&boom;</trace></log>", "log.xes:1: not well-formed XML (undefined entity)"),
        (b"<log>" + b"<a>" * 60, "log.xes:1: more than 40 elements within each other"),
    ],
)
def test_xes_that_is_none_is_refused_with_its_line(raw: bytes, told: str) -> None:
    """A sentence with file, line and what to do; nothing is guessed."""
    assert fault(raw, xes=True).startswith(told)


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE log [<!ENTITY secret SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE log SYSTEM "http://127.0.0.1:9/log.dtd">',
    ],
)
def test_entities_are_refused_before_they_are_read(doctype: str) -> None:
    """A log needs no document type; with it, expansion bombs and references to files and hosts are out."""
    raw = f"{doctype}\n<log><trace><string key='concept:name' value='&b;&secret;'/></trace></log>".encode()
    assert fault(raw, xes=True).startswith("log.xes:1: has a document type")


def test_half_a_gzip_file_is_refused(tmp_path: Path) -> None:
    """A file broken off in transfer is no shorter log."""
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(as_csv(ROWS * 50))[:-40])
    with pytest.raises(LogRefusedError, match="not a whole gzip file"):
        read_log(path)


def test_what_only_claims_to_be_packed_is_refused(tmp_path: Path) -> None:
    """The name says gzip, the bytes do not."""
    path = tmp_path / "log.xes.gz"
    path.write_bytes(as_xes(ROWS))
    with pytest.raises(LogRefusedError, match="not a whole gzip file"):
        read_log(path)


def test_other_names_are_refused(tmp_path: Path) -> None:
    """What a file holds is told by its name, never guessed."""
    with pytest.raises(LogRefusedError, match=r"\.csv or \.xes"):
        read_log(tmp_path / "log.xlsx")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """As an environment that is not ready, not as a bad log."""
    with pytest.raises(StartError, match=r"log\.csv: cannot be read"):
        read_log(tmp_path / "log.csv")


def test_a_file_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file cannot fill the memory."""
    monkeypatch.setattr("motcua.lab.scenarios.event_log.files.MAX_BYTES", 1 << 20)
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(b"a" * (3 << 20)))
    with pytest.raises(LogRefusedError, match="longer than"):
        read_log(path)
