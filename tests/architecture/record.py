"""Stores records of a release for test_recorded.py: `python -m tests.architecture.record HOST:PORT > X.ndjson`.

Run it against a centre with data, for example the demo's. It writes the first two records of each type and version, and
each record with a field or an enumerated value that no earlier one has. Long lists are cut after twenty entries.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

from shared.contracts.topics import TOPICS
from shared.messaging import topic_log as log

_FIRST = 2


def main(bootstrap: str) -> None:
    """Write the records of all topics to standard output, one JSON object per line."""
    asyncio.run(_record(bootstrap))


async def _record(bootstrap: str) -> None:
    for topic in TOPICS.values():
        seen: dict[tuple[str, str], set[str]] = {}
        async for copies in log.read_topic(bootstrap, topic):
            for copy in copies:
                value = json.loads(copy.value)
                of_type = seen.setdefault((copy.headers["type"], copy.headers["version"]), set())
                marks = set(_marks(value["data"], ""))
                if len(of_type & {"1", "2"}) >= _FIRST and marks <= of_type:
                    continue
                of_type |= marks | {"2" if "1" in of_type else "1"}
                line = {"topic": copy.topic, "key": copy.key, "headers": copy.headers, "value": _shortened(value)}
                sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


def _marks(value: Any, at: str) -> Iterator[str]:
    """The paths of a value's fields, and its strings that look like enumerated values."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield f"{at}.{name}"
            yield from _marks(child, f"{at}.{name}")
    elif isinstance(value, list):
        for child in value[:20]:
            yield from _marks(child, f"{at}[]")
    elif isinstance(value, str) and value.isidentifier() and value.islower():
        yield f"{at}={value}"


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(child) for name, child in value.items()}
    return [_shortened(child) for child in value[:20]] if isinstance(value, list) else value


if __name__ == "__main__":
    main(sys.argv[1])
