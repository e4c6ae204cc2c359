"""How many cases a second `motcua due --jsonl` answers, beside parsing the same lines as JSON and nothing else.

`python -m tests.bench.due_lines [cases] [--rounds n]` draws cases of mixed kinds by lot (the same ones each time), by a
calendar of the centre and by one that every line brings along, and prints CPU seconds: what the process itself took.
On a busy machine only the ratio of one run means something.
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
    lambda lot: {"value": lot.randint(1, 30), "unit": "working_day"},
    lambda lot: {"value": lot.randint(1, 30), "unit": "working_day", "counting": "by_days"},
    lambda lot: {"value": lot.randint(1, 200), "unit": "working_hour"},
    lambda lot: {"value": lot.randint(1, 60), "unit": "calendar_day"},
    lambda lot: {"value": 0, "unit": "same_day", "cut_off": "15:00"},
    lambda lot: None,
)
WEIGHTS = (40, 15, 15, 15, 10, 5)


def cases(count: int, calendar: Any) -> Iterator[dict[str, Any]]:
    """Receipts of eight years; a pause or two in three of ten, an extension in one, known at an instant in one."""
    lot = random.Random(2017)
    for number in range(count):
        received_at = datetime(2017, 1, 1, tzinfo=ZONE) + timedelta(minutes=lot.randrange(60 * 24 * 365 * 8))
        (term,) = (draw(lot) for draw in lot.choices(TERMS, WEIGHTS))
        case = {"id": number, "calendar": calendar, "term": term, "received_at": received_at.isoformat()}
        if lot.random() < 0.3:
            case["pauses"] = list(_pauses(received_at, lot))
        if term and lot.random() < 0.1:
            case["extensions"] = [{"at": received_at.isoformat(), "working_days": lot.randint(1, 10)}]
        if lot.random() < 0.1:
            case["as_known_at"] = (received_at + timedelta(days=lot.randint(0, 100))).isoformat()
        yield case


def _pauses(received_at: datetime, lot: random.Random) -> Iterator[dict[str, str]]:
    now = received_at
    for _ in range(lot.randint(1, 2)):
        begin = now + timedelta(minutes=lot.randrange(1, 3000))
        now = begin + timedelta(minutes=lot.randrange(1, 8000))
        yield {"from": begin.isoformat(), "to": now.isoformat()}


def main() -> None:
    """Print a line a round and the medians."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("cases", nargs="?", type=int, default=200_000)
    arguments.add_argument("--rounds", type=int, default=5)
    asked = arguments.parse_args()
    centre = load(MotcuaSettings).centre
    for name, calendar in (("of the centre", load_centre(Path(centre)).calendar.name), ("of each line", OWN)):
        lines = [json.dumps(case).encode() for case in cases(asked.cases, calendar)]
        stream = b"\n".join(lines)
        rates, ratios = [], []
        for _ in range(asked.rounds):
            began = time.process_time()
            errors = run_lines(io.BytesIO(stream), io.BytesIO(), lambda: load_centre(Path(centre)))
            answered = time.process_time() - began
            began = time.process_time()
            for line in lines:
                json.loads(line)
            parsed = time.process_time() - began
            rates.append(asked.cases / answered)
            ratios.append(answered / parsed)
            print(f"calendar {name}: {rates[-1]:,.0f}/s, {ratios[-1]:.1f} times parsing, {errors} errors", flush=True)
        print(f"median: {statistics.median(rates):,.0f}/s, {statistics.median(ratios):.1f} times parsing")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
