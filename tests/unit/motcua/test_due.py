"""`motcua due`: due dates in sentences, and errors with their exit status."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from motcua.__main__ import main


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    out: str
    err: str


RunDue = Callable[..., Answer]


@pytest.fixture
def run_due(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunDue:
    """Run the whole command; its exit status is part of the result."""

    def run(*options: str) -> Answer:
        monkeypatch.setattr("sys.argv", ["motcua", "due", *options])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return Answer(int(end.value.code or 0), said.out, said.err)

    return run


def test_term_of_working_days_skips_the_weekend(run_due: RunDue) -> None:
    """A term of five 8-hour days from Monday 09:00 ends the next Monday at 09:00."""
    answered = run_due("--term", "5", "--unit", "working_day", "--received", "2026-11-30T09:00")
    assert answered.status == 0, answered.err
    assert "Due Monday 2026-12-07 09:00." in answered.out
    assert "Working time between: 40 h." in answered.out


def test_instant_with_offset_is_converted_to_the_centre_zone(run_due: RunDue) -> None:
    """02:00 UTC is 09:00 in Vietnam."""
    answered = run_due("--term", "8", "--unit", "working_hour", "--received", "2026-11-30T02:00+0000")
    assert "Received Monday 2026-11-30 09:00." in answered.out
    assert "Due Tuesday 2026-12-01 09:00." in answered.out


def test_procedure_has_its_own_cut_off(run_due: RunDue) -> None:
    """2.000635 is due on the same day; after 15:00 it counts from the next working day."""
    answered = run_due("--procedure", "2.000635", "--received", "2026-11-30T15:01")
    assert "Counted from Tuesday 2026-12-01 07:00." in answered.out
    assert "Due Tuesday 2026-12-01 17:00." in answered.out


def test_unconfirmed_day_off_is_reported(run_due: RunDue) -> None:
    """24 November 2026 is unconfirmed: it is counted as a working day, and reported."""
    answered = run_due("--term", "3", "--unit", "working_day", "--received", "2026-11-23T09:00")
    assert "2026-11-24" in answered.out
    assert "not confirmed" in answered.out


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--procedure", "9.999999"], 1, "9.999999 is not in the catalogue"),
        (["--term", "5", "--unit", "working_day", "--received", "2031-01-01T09:00"], 1, "2031-01-01"),
        (["--term", "5"], 2, "--term 5 --unit working_day"),
        (["--procedure", "2.000635", "--term", "5", "--unit", "working_day"], 2, "either --procedure"),
        (["--term", "0", "--unit", "working_day"], 2, "use no term instead"),
        (["--term", "5", "--unit", "fortnight"], 2, "fortnight"),
        (["--term", "5", "--unit", "working_day", "--received", "yesterday"], 2, "yesterday"),
        (["cases.jsonl"], 2, "--jsonl"),
        (["--jsonl", "--procedure", "2.000635"], 2, "leave the other options out"),
        (["--jsonl", "no-such-file.jsonl"], 3, "no-such-file.jsonl"),
    ],
)
def test_invalid_request_ends_with_its_status(run_due: RunDue, options: list[str], status: int, said: str) -> None:
    """A rule's refusal ends with status 1, wrong usage with 2, a missing file with 3, never with a traceback."""
    refused = run_due(*options)
    assert refused.status == status
    assert said in " ".join(refused.err.replace("│", " ").split())
    assert "Traceback" not in refused.err


def test_explanation_lists_every_day(run_due: RunDue) -> None:
    """`--explain` lists every day with its decision, in either language; `--json` has the same as data."""
    question = ("--term", "1", "--unit", "working_day", "--received", "2025-12-31T14:00")
    swapped = "Friday 2026-01-02: off: Nghỉ hoán đổi (by 12729/VPCP-KGVX, known from Thursday 2025-12-25)."
    assert swapped in run_due(*question, "--explain").out
    assert "Hẹn trả 14:00 thứ Hai 05/01/2026." in run_due(*question, "--explain", "--lang", "vi").out
    shown = json.loads(run_due(*question, "--json").out)
    assert [day["counted_seconds"] for day in shown["days"]] == [10_800, 0, 0, 0, 0, 18_000]


def test_as_known_at_ignores_later_changes(run_due: RunDue) -> None:
    """`--as-known-at` uses the calendar that was known then; an instant before the receipt is refused."""
    question = ("--term", "2", "--unit", "working_day", "--received", "2025-12-24T14:00")
    assert "Due Friday 2025-12-26 14:00." in run_due(*question, "--as-known-at", "2025-12-24T15:00").out
    question = ("--term", "6", "--unit", "working_day", "--received", "2025-12-24T14:00")
    assert "Due Friday 2026-01-02 14:00." in run_due(*question, "--as-known-at", "2025-12-24T15:00").out
    assert "Due Monday 2026-01-05 14:00." in run_due(*question).out
    assert run_due(*question, "--as-known-at", "2025-12-24T13:00").status == 1


def test_calendar_is_selected_by_name(run_due: RunDue) -> None:
    """A calendar of the centre is used; an unknown name is refused with the known names."""
    question = ("--term", "1", "--unit", "working_day", "--received", "2025-12-24T14:00")
    assert "Calendar vn-public" in run_due(*question, "--calendar", "vn-public").out
    refused = run_due(*question, "--calendar", "nl")
    assert (refused.status, "vn-public" in refused.err) == (1, True)


def test_file_of_lines_is_answered(run_due: RunDue, tmp_path: Path) -> None:
    """Lines may name a calendar of the centre. An error is an answer, too, so the status is 0."""
    cases = tmp_path / "cases.jsonl"
    line = {"id": 1, "calendar": "vn-public", "term": {"value": 1, "unit": "working_day"}}
    received = [{"received_at": "2017-11-06T07:00:00+07:00"}, {"received_at": "2017-11-06T07:00:00"}]
    cases.write_text("\n".join(json.dumps(line | each) for each in received), encoding="utf-8")
    answered = run_due("--jsonl", str(cases))
    assert answered.status == 0, answered.err
    first, second = (json.loads(each) for each in answered.out.splitlines())
    assert (first["due_at"], second["error"]["type"]) == ("2017-11-06T17:00:00+07:00", "time-naive")


def test_closed_output_ends_the_run_with_status_0() -> None:
    """`motcua due --jsonl | head -1` ends with status 0 and without a message."""
    with subprocess.Popen(
        [sys.executable, "-m", "motcua", "due", "--jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"id": 1}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1  # before the input ends
        process.stdout.close()
        process.stdin.write(b'{"id": 2}\n' * 1000)
        _, said = process.communicate()
    assert (process.returncode, said) == (0, b"")
