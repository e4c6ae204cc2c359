"""`motcua replay` as a whole: a log is played twice through a centre of its own, from two file formats."""

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from motcua.local.embedded import kafka
from tests.unit.lab.logs import MAPPING, PERMIT_CENTRE, PERMIT_LOG, as_csv, as_xes, row

pytestmark = pytest.mark.timeout(900)

ACTS = """
[acts]
"Ask" = { act = "ask_supplement", data = { papers = ["Drawing"] } }
"Papers came" = { act = "supplement_received" }
"""
LATE = "2011-05-02T09:00:00+02:00"
LONG = "2011-05-26T17:00:00+02:00"
ROWS = [
    row("in-time", "t1", "2011-03-02T10:00:00+01:00"),
    row("late", "t2", "2011-03-02T10:00:00+01:00", end=LATE),
    row("late-by-ours", "t3", "2011-03-02T10:00:00+01:00", end=LATE, deadline=LONG),
    row("open", "t4", "2011-03-02T10:00:00+01:00", end="", deadline=""),
    row("paused", "t5", "2011-03-02T10:00:00+01:00", end=LATE),
    row("paused", "t6", "2011-03-03T10:00:00+01:00", activity="Ask", end=LATE),
    row("paused", "t7", "2011-03-13T10:00:00+01:00", activity="Papers came", end=LATE),
    row("after-its-end", "t8", "2011-05-03T10:00:00+02:00"),
]


def replay(home: Path, file: Path, mapping: Path) -> str:
    """Run the command and return its output. The exit status must be 0."""
    environment = {**os.environ, "MOTCUA_HOME": str(home)}  # noqa: TID251 - the command inherits the environment, as from a shell
    command = [sys.executable, "-m", "motcua", "replay", str(file), "--mapping", str(mapping)]
    command += ["--centre", str(PERMIT_CENTRE)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=420, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def report_of(output: str) -> list[str]:
    """Return the report, from the cases to the last anomaly, without file names."""
    lines = re.sub(r"log\.(csv|xes\.gz):\d+", "log", output).splitlines()
    first = next(place for place, line in enumerate(lines) if "cases: " in line)
    return lines[first:-2]


@pytest.fixture
def prepared(home: Path, toolchain: kafka.Toolchain) -> Path:
    """Return a home folder with the broker's jars."""
    return home


def test_second_replay_changes_nothing(prepared: Path, tmp_path: Path) -> None:
    """The same log as CSV and then as compressed XES uses one centre and gives the same report and events."""
    mapping, table, packed = tmp_path / "mapping.toml", tmp_path / "log.csv", tmp_path / "log.xes.gz"
    mapping.write_text(MAPPING + ACTS, encoding="utf-8")
    table.write_bytes(as_csv(ROWS))
    packed.write_bytes(gzip.compress(as_xes(ROWS)))
    first = replay(prepared, table, mapping)
    assert "6 cases: 5 ended, 1 open on 2011-05-03." in first
    assert "Deadlines by local date: 3 of 6 match ours, 2 differ." in first
    assert "ours 30 days earlier: 1: late-by-ours" in first
    assert "ours 10 days later: 1: paused" in first
    assert "without a recorded deadline: 1" in first
    assert "Late by the recorded deadlines: 2 of 5 with a recorded end." in first
    assert "Late by our due dates: 2 of 5 settled; open and overdue: 1." in first
    assert "log.csv:9: after-its-end: rows after the end" in first
    assert "Verified: 6 dossiers" in first
    counted = re.search(r"^(\d+) events were added to \d+\.$", first, re.MULTILINE)
    assert counted is not None
    assert int(counted[1]) > 40
    second = replay(prepared, packed, mapping)
    assert re.search(
        r"^Nothing changed: the \d+ events are the same, with the same sequences and bytes\.$", second, re.M
    )
    assert report_of(second) == report_of(first)
    assert len([path for path in prepared.iterdir() if path.name.startswith("replay-test-log-")]) == 1


@pytest.mark.by_hand
@pytest.mark.skipif(not PERMIT_LOG.is_file(), reason="the permit log is not on this machine")
def test_permit_log_is_played_completely_and_twice(prepared: Path) -> None:
    """The report of the permit log has the numbers of docs/replay.md, and a second replay changes nothing."""
    mapping = PERMIT_CENTRE / "log-mapping.toml"
    first = replay(prepared, PERMIT_LOG, mapping)
    assert "698 cases: 646 ended, 52 open on 2012-01-23." in first
    assert "Deadlines by local date: 481 of 698 match ours, 217 differ." in first
    assert "Late by the recorded deadlines: 161 of 646 with a recorded end." in first
    assert "Late by our due dates: 242 of 646 settled; open and overdue: 28." in first
    assert "Verified: 698 dossiers, 11,574 events" in first
    second = replay(prepared, PERMIT_LOG, mapping)
    assert "Nothing changed: the 11574 events are the same" in second
    assert report_of(second) == report_of(first)
