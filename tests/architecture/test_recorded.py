"""Records of earlier releases stay readable."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.registry import EVENTS, decode
from shared.contracts.topics import TOPICS
from tests.architecture.tree import ROOT

RECORDED = ROOT / "tests/architecture/recorded"
FILES = sorted(RECORDED.glob("*.ndjson"))


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_recorded_event_is_decoded(file: Path) -> None:
    """A recorded event decodes to the key, sequence, epoch and id of its headers."""
    for line in lines(file):
        headers = line["headers"]
        event = decode(headers["type"], int(headers["version"]), json.dumps(line["value"]).encode())
        assert (str(event.id), event.subject) == (headers["id"], line["key"])
        assert (event.sequence, event.epoch) == (int(headers["sequence"]), int(headers["epoch"]))
        assert line["topic"] == EVENTS[event.type].TOPIC


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_recorded_event_loses_no_field(file: Path) -> None:
    """A recorded event has the same fields and values after decoding and encoding."""
    for line in lines(file):
        headers = line["headers"]
        if int(headers["version"]) == EVENTS[headers["type"]].VERSION:
            value = json.dumps(line["value"]).encode()
            again = json.loads(decode(headers["type"], int(headers["version"]), value).to_json())
            assert _as_written(again, line["value"]) == line["value"]


def _as_written(again: Any, then: Any) -> Any:
    """The new value without the members that later releases have added."""
    if isinstance(again, dict) and isinstance(then, dict):
        return {name: _as_written(again[name], child) for name, child in then.items() if name in again}
    if isinstance(again, list) and isinstance(then, list) and len(again) == len(then):
        return [_as_written(*both) for both in zip(again, then, strict=True)]
    return again


def test_every_topic_has_recorded_events() -> None:
    """Each topic has recorded events, so that its compatibility is tested."""
    assert {line["topic"] for file in FILES for line in lines(file)} == set(TOPICS)
