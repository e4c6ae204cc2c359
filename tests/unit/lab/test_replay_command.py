"""`motcua replay`: the output for a log, and the documented mapping."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from motcua.__main__ import app
from motcua.lab.scenarios.event_log.log import LogRefusedError
from motcua.lab.scenarios.event_log.mapping import LogMapping, parse_mapping
from tests.unit.lab.logs import MAPPING, PERMIT_CENTRE, ROOT, as_csv, row

ROWS = [row("c1", "t1", "2011-04-02T10:00:00+02:00"), row("c2", "t2", "2011-03-02T10:00:00+01:00")]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log with one irregular case."""
    path = tmp_path / "log.csv"
    path.write_bytes(as_csv(ROWS))
    return path


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """Return its mapping."""
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def test_check_of_a_valid_log_prints_its_anomalies(log: Path, mapping: Path) -> None:
    """The check prints the size of the plan, the number of cases by anomaly, and each anomaly with its line."""
    arguments = ["replay", str(log), "--mapping", str(mapping), "--centre", str(PERMIT_CENTRE), "--check"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "2 cases, 2 rows, 8 acts from 2011-03-01 to 2011-04-02." in result.output
    assert "first row after the end: 1 case." in result.output
    assert "log.csv:2: c1: rows after the end: 1 of 1 rows" in result.output


def test_log_with_a_fault_is_refused(log: Path, mapping: Path) -> None:
    """The refusal has the fault with its place; `main` prints it and exits with status 1."""
    log.write_bytes(as_csv([row("c1", "t1", "x")]))
    arguments = ["replay", str(log), "--mapping", str(mapping), "--centre", str(PERMIT_CENTRE), "--check"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, LogRefusedError)
    assert "log.csv:2: time:timestamp: 'x' is not an instant" in result.exception.detail


def test_log_with_faults_starts_nothing(
    log: Path, mapping: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All five faults are reported with line and column, and no folder is created."""
    monkeypatch.setenv("MOTCUA_HOME", str(tmp_path / "home"))
    broken = [
        row("c1", "t1", "18/10/2011 15:53"),
        row("c2", "t2", "2011-03-02T10:00:00+01:00", activity=""),
        row("c3", "t3", "2011-03-02T10:00:00+01:00", channel="Pigeon"),
        row("c4", "t3", "2011-03-02T10:00:00+01:00"),
        row("c5", "t5", "2011-03-02T10:00:00+01:00", deadline="2011-04-26T17:00:00+02:00"),
        row("c5", "t6", "2011-03-02T10:00:00+01:00", deadline="2013-01-01T00:00:00+01:00"),
    ]
    log.write_bytes(as_csv(broken))
    result = CliRunner().invoke(app, ["replay", str(log), "--mapping", str(mapping), "--centre", str(PERMIT_CENTRE)])
    assert isinstance(result.exception, LogRefusedError)
    assert [line.partition(": ")[2].split(": ")[0] for line in map(str, result.exception.faults)] == [
        "time:timestamp",
        "concept:name",
        "case:channel",
        "concept:instance",
        "case:deadline",
    ]
    assert [fault.line for fault in result.exception.faults] == [2, 3, 4, 5, 7]
    assert result.exception.detail.startswith("5 faults. Nothing was played.")
    assert not (tmp_path / "home").exists()


def test_draft_output_is_a_mapping(log: Path) -> None:
    """The output of --suggest-mapping is a mapping, so it can be written to a file unchanged."""
    result = CliRunner().invoke(app, ["replay", str(log), "--suggest-mapping"])
    assert result.exit_code == 0
    assert parse_mapping(result.output).system == "log"


def test_missing_mapping_is_a_usage_error(log: Path) -> None:
    """Without a mapping the command exits with status 2 and names the option for a draft."""
    result = CliRunner().invoke(app, ["replay", str(log)])
    assert result.exit_code == 2
    assert "--suggest-mapping" in result.output


def test_documented_mapping_is_complete() -> None:
    """The example in the documentation is a valid mapping with every key."""
    page = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert example is not None
    mapping = parse_mapping(example[1])
    assert mapping.model_fields_set == set(LogMapping.model_fields)
    for part in (mapping.columns, mapping.dossier, mapping.attributes):
        assert part.model_fields_set == set(type(part).model_fields)
