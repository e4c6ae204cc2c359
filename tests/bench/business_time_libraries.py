"""Measure two business-time libraries on plain cases. Runs in their own virtual environment, without project code.

`python business_time_libraries.py` reads one case per line from standard input: JSON `[start, end, hours]` in local
time. The calendar has one window per day and no exceptions. It prints one JSON object: for each library the CPU seconds
and the answers.
"""

import datetime
import json
import sys
import time

OPENS, CLOSES = datetime.time(7), datetime.time(15)


def main() -> None:
    """Measure both libraries on the same cases and print the result."""
    import businesstimedelta  # type: ignore[import-not-found]
    from business_duration import businessDuration  # type: ignore[import-not-found]

    cases = [json.loads(line) for line in sys.stdin]
    read = datetime.datetime.fromisoformat
    plain = [(read(start), read(end), hours) for start, end, hours in cases]
    rule = businesstimedelta.WorkDayRule(start_time=OPENS, end_time=CLOSES, working_days=[0, 1, 2, 3, 4])
    rules = businesstimedelta.Rules([rule])
    started = time.process_time()
    due = [start + businesstimedelta.BusinessTimeDelta(rules, hours=hours) for start, _, hours in plain]
    adding_seconds = time.process_time() - started
    started = time.process_time()
    elapsed = [
        businessDuration(start, end, starttime=OPENS, endtime=CLOSES, weekendlist=[5, 6], unit="sec")
        for start, end, _ in plain
    ]
    elapsed_seconds = time.process_time() - started
    result = {
        "businesstimedelta": {
            "seconds": adding_seconds,
            "answers": [at.replace(tzinfo=None).isoformat() for at in due],
        },
        "business-duration": {"seconds": elapsed_seconds, "answers": [float(seconds) for seconds in elapsed]},
    }
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
