"""Two libraries of business time on plain cases, in a virtual environment of their own: `python derivation_peers.py N`.

Reads N cases of a calendar without lunch and without exceptions as JSON lines `[start, end, hours]` (local times) from
standard input, and prints a JSON object: seconds of CPU and answers of each. It imports nothing of the project.
"""

import datetime
import json
import sys
import time

OPENS, CLOSES = datetime.time(7), datetime.time(15)


def main() -> None:
    """Measure both."""
    import businesstimedelta  # type: ignore[import-not-found]
    from business_duration import businessDuration  # type: ignore[import-not-found]

    cases = [json.loads(line) for line in sys.stdin]
    read = datetime.datetime.fromisoformat
    plain = [(read(start), read(end), hours) for start, end, hours in cases]
    rule = businesstimedelta.WorkDayRule(start_time=OPENS, end_time=CLOSES, working_days=[0, 1, 2, 3, 4])
    rules = businesstimedelta.Rules([rule])
    began = time.process_time()
    due = [start + businesstimedelta.BusinessTimeDelta(rules, hours=hours) for start, _, hours in plain]
    added = time.process_time() - began
    began = time.process_time()
    elapsed = [
        businessDuration(start, end, starttime=OPENS, endtime=CLOSES, weekendlist=[5, 6], unit="sec")
        for start, end, _ in plain
    ]
    measured = time.process_time() - began
    found = {
        "businesstimedelta": {"seconds": added, "answers": [at.replace(tzinfo=None).isoformat() for at in due]},
        "business-duration": {"seconds": measured, "answers": [float(seconds) for seconds in elapsed]},
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
