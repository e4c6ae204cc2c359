"""Cases of `motcua due --jsonl` and their answers, for tests."""

import io
import json
from pathlib import Path
from typing import Any

from motcua.due.lines import run_lines
from shared.catalogue import load_centre

CENTRE = load_centre(Path(__file__).parents[3] / "config" / "binh-phuoc")
HOURS = [["07:00", "11:30"], ["13:30", "17:00"]]
WEEK = {"weekdays": [1, 2, 3, 4, 5], "hours": HOURS, "exceptions": []}
TWO_DAYS = {"value": 2, "unit": "working_day"}
MONDAY = "2017-11-06T07:00:00+07:00"


def case(**changes: Any) -> dict[str, Any]:
    """Two working days from Monday 6 November 2017, 07:00, by an inline calendar.

    `changes` replace members; the value `...` removes one.
    """
    given = {"id": "a", "calendar": WEEK, "term": TWO_DAYS, "received_at": MONDAY} | changes
    return {name: value for name, value in given.items() if value is not ...}


def week(**changes: Any) -> dict[str, Any]:
    given = {**WEEK, **changes}
    return {name: value for name, value in given.items() if value is not ...}


def exception(on: str, kind: str, **more: Any) -> dict[str, Any]:
    return week(exceptions=[{"date": on, "kind": kind, **more}])


def answer(*lines: Any) -> list[Any]:
    """The answers to these lines, which are written as JSON unless they are bytes."""
    source = io.BytesIO(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    sink = io.BytesIO()
    run_lines(source, sink, lambda: CENTRE)
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def only(line: Any) -> Any:
    (found,) = answer(line)
    return found


def error_of(line: Any) -> tuple[Any, str]:
    found = only(line)
    assert set(found) == {"id", "error"}, found
    assert set(found["error"]) == {"type", "detail"}
    return found["id"], found["error"]["type"]
