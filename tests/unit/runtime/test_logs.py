"""Log lines are JSON, rate limited, and without personal data."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.runtime import logs
from shared.runtime.redaction import redact, redact_text


class Lines(io.StringIO):
    def parsed(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    before, level = root.handlers, root.level
    stream = Lines()
    logs.configure("sla", "info", stream, member="sla-1")
    yield stream
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_lines_of_libraries_have_the_same_form(lines: Lines) -> None:
    """Lines of our code and of libraries have the same fields."""
    structlog.get_logger("services.sla").info("clock_started", dossier_id="d1")
    logging.getLogger("aiokafka").warning("Unable connect to node with id %s", 0)
    ours, theirs = lines.parsed()
    assert (ours["event"], ours["dossier_id"], ours["level"]) == ("clock_started", "d1", "info")
    assert (theirs["event"], theirs["level"]) == ("Unable connect to node with id 0", "warning")
    assert {line["service"] for line in (ours, theirs)} == {"sla"}
    assert {line["member"] for line in (ours, theirs)} == {"sla-1"}


def test_bound_ids_are_on_every_line(lines: Lines) -> None:
    """Ids that are bound once are on every line, including those of libraries."""
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger("x").info("one")
        logging.getLogger("asyncpg").warning("two")
    structlog.get_logger("x").info("three")
    assert [line.get("request_id") for line in lines.parsed()] == ["r1", "r1", None]


def test_personal_fields_are_redacted_at_any_depth(lines: Lines) -> None:
    """A field with the name of personal data never has its value."""
    structlog.get_logger("x").info("seen", phone="0912345678", body={"a": 1}, act={"applicant": {"x": "An"}, "n": 1})
    line = lines.parsed()[0]
    assert line["phone"] == line["body"] == line["act"]["applicant"] == "[redacted]"
    assert line["act"]["n"] == 1


def test_exception_text_is_redacted(lines: Lines) -> None:
    """The quoted row in a database's error message is redacted."""
    try:
        raise ValueError('Key (email)=(an@example.vn) already exists, reach "+84 912 345 678"')
    except ValueError:
        structlog.get_logger("x").exception("failed")
    text = lines.getvalue()
    assert "an@example.vn" not in text
    assert "345 678" not in text
    assert "ValueError" in text


def test_flood_of_equal_lines_is_suppressed_and_counted() -> None:
    """Equal lines beyond the limit are suppressed; the next line has their number."""
    now = 0.0
    limit = logs.RateLimit(burst=3, window_seconds=10, monotonic=lambda: now)

    def record() -> logging.LogRecord:
        return logging.LogRecord("aiokafka", logging.WARNING, "f", 1, "no node %s", (1,), None)

    assert [limit.filter(record()) for _ in range(100)].count(True) == 3
    now = 11.0
    later = record()
    assert limit.filter(later)
    assert later.__dict__["suppressed"] == 97


def test_own_information_is_never_suppressed() -> None:
    """Our own lines below warning always pass."""
    limit = logs.RateLimit(burst=1)
    record = logging.LogRecord("services", logging.INFO, "f", 1, {"event": "request_done"}, (), None)
    assert [limit.filter(record) for _ in range(50)] == [True] * 50


def test_suppressed_count_is_written(lines: Lines) -> None:
    """The line after a flood has the number of suppressed lines."""
    record = logging.LogRecord("aiokafka", logging.WARNING, "f", 1, "no node", (), None)
    record.suppressed = 97
    logging.getLogger().handle(record)
    assert lines.parsed()[0]["suppressed"] == 97


@pytest.mark.parametrize(
    "text",
    [
        "call 0912345678",
        "id 079203001234",
        "+84 28 3822 5678",
        "a.b+c@mail.example.vn",
        "Bearer motcua_abc",
        "0912.345.678",
    ],
)
def test_numbers_and_addresses_are_found_in_texts(text: str) -> None:
    """Phone numbers, identity numbers, addresses and tokens are redacted in texts."""
    assert redact_text(text) != text


@pytest.mark.parametrize(
    "text",
    [
        "H10.18-170428-0001",
        "018f2c5e-7b1a-7c3d-9e2f-0123456789ab",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "2026-11-23T01:15:42.000000+00:00",
        "127.0.0.1:29092",
        "offset 1000000000",
        "urn:motcua:event:deadline.set:v1",
    ],
)
def test_technical_values_are_not_redacted(text: str) -> None:
    """Codes, ids, instants, addresses of machines and offsets are not redacted."""
    assert redact_text(text) == text


def test_redaction_does_not_change_its_input() -> None:
    """Redaction returns a copy."""
    value = {"phone": "0912345678"}
    assert redact(value) == {"phone": "[redacted]"}
    assert value == {"phone": "0912345678"}
