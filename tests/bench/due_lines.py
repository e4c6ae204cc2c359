"""Throughput of `motcua due --jsonl`, compared with parsing the same lines as JSON.

`python -m tests.bench.due_lines [cases] [--rounds n]` makes a seeded random draw of mixed cases, once with a calendar
of the centre and once with a calendar in every line. It prints cases per second of CPU time of the process. On a busy
machine compare only the ratios of one run.
"""

import argparse
import io
import json
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from motcua.due.lines import run_lines
from motcua.local.settings import MotcuaSettings
from shared.catalogue import load_centre
from shared.runtime.settings import load

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
OWN = {
    "weekdays": [1, 2, 3, 4, 5],
    "hours": [["07:00", "11:30"], ["13:30", "17:00"]],
    "exceptions": [{"date": f"2017-01-{day}", "kind": "off", "known_from": "2016-11-24"} for day in range(26, 32)],
}
TERMS: tuple[Callable[[random.Random], dict[str, Any] | None], ...] = (
    lambda draw: {"value": draw.randint(1, 30), "unit": "working_day"},
    lambda draw: {"value": draw.randint(1, 30), "unit": "working_day", "counting": "by_days"},
    lambda draw: {"value": draw.randint(1, 200), "unit": "working_hour"},
    lambda draw: {"value": draw.randint(1, 60), "unit": "calendar_day"},
    lambda draw: {"value": 0, "unit": "same_day", "cut_off": "15:00"},
    lambda draw: None,
)
WEIGHTS = (40, 15, 15, 15, 10, 5)


def cases(count: int, calendar: Any) -> Iterator[dict[str, Any]]:
    """Yield cases with receipts in eight years, from a seeded random draw.

    30 % have one or two pauses, 10 % an extension, and 10 % an instant `as_known_at`.
    """
    draw = random.Random(2017)
    for number in range(count):
        received_at = datetime(2017, 1, 1, tzinfo=ZONE) + timedelta(minutes=draw.randrange(60 * 24 * 365 * 8))
        (term,) = (make(draw) for make in draw.choices(TERMS, WEIGHTS))
        case = {"id": number, "calendar": calendar, "term": term, "received_at": received_at.isoformat()}
        if draw.random() < 0.3:
            case["pauses"] = list(_pauses(received_at, draw))
        if term and draw.random() < 0.1:
            case["extensions"] = [{"at": received_at.isoformat(), "working_days": draw.randint(1, 10)}]
        if draw.random() < 0.1:
            case["as_known_at"] = (received_at + timedelta(days=draw.randint(0, 100))).isoformat()
        yield case


def _pauses(received_at: datetime, draw: random.Random) -> Iterator[dict[str, str]]:
    now = received_at
    for _ in range(draw.randint(1, 2)):
        begin = now + timedelta(minutes=draw.randrange(1, 3000))
        now = begin + timedelta(minutes=draw.randrange(1, 8000))
        yield {"from": begin.isoformat(), "to": now.isoformat()}


def main() -> None:
    """Print one line per round, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="?", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    centre = load(MotcuaSettings).centre
    for name, calendar in (("of the centre", load_centre(Path(centre)).calendar.name), ("of each line", OWN)):
        lines = [json.dumps(case).encode() for case in cases(options.cases, calendar)]
        stream = b"\n".join(lines)
        rates, ratios = [], []
        for _ in range(options.rounds):
            started = time.process_time()
            errors = run_lines(io.BytesIO(stream), io.BytesIO(), lambda: load_centre(Path(centre)))
            answered = time.process_time() - started
            started = time.process_time()
            for line in lines:
                json.loads(line)
            parsed = time.process_time() - started
            rates.append(options.cases / answered)
            ratios.append(answered / parsed)
            print(
                f"calendar {name}: {rates[-1]:,.0f}/s, {ratios[-1]:.1f} times the CPU of parsing, {errors} errors",
                flush=True,
            )
        print(f"median: {statistics.median(rates):,.0f}/s, {statistics.median(ratios):.1f} times the CPU of parsing")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
