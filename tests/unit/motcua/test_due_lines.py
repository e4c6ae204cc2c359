"""The stream of `motcua due --jsonl`: one answer per line, in order, for any input."""

import io
import json
from datetime import datetime
from typing import Any

import pytest

from motcua.due.lines import MAX_LINE_BYTES, Answers, run_lines
from tests.unit.motcua.lines import CENTRE, WEEK, answer, case, error_of, exception, only


@pytest.mark.parametrize(
    ("line", "slug"),
    [
        (b"", "not-json"),
        (b"due", "not-json"),
        (b"[1, 2]", "not-json"),
        (b'{"id": "a"} {}', "not-json"),
        (b'{"id": "a", "term": NaN}', "not-json"),
        (b"[" * 100_000, "not-json"),
        (b'{"id": "\xff"}', "not-utf8"),
        (b'{"id": "' + b"a" * MAX_LINE_BYTES + b'"}', "line-too-long"),
        (json.dumps(case(id=...)).encode(), "member-missing"),
        (json.dumps(case(id=None)).encode(), "member-invalid"),
        (json.dumps(case(id=True)).encode(), "member-invalid"),
        (json.dumps(case(id=1.5)).encode(), "member-invalid"),
        (json.dumps(case(id=[1])).encode(), "member-invalid"),
    ],
)
def test_line_without_a_case_is_an_error_without_id(line: bytes, slug: str) -> None:
    """A line that is not a case is answered with an error and the id null; the next line is answered normally."""
    before, bad, after = answer(case(id="before"), line, case(id="after"))
    assert (before["id"], bad["id"], bad["error"]["type"], after["id"]) == ("before", None, slug, "after")


def test_duplicate_member_is_an_error() -> None:
    """A duplicate member is an error, and does not affect the calendar of later lines."""
    other = exception("2017-11-07", "off")
    twice = json.dumps(case(calendar=other)).replace('"term"', f'"calendar": {json.dumps(WEEK)}, "term"').encode()
    good = json.dumps(case(calendar=other)).encode()
    expected = only(good)
    first, second, *later = answer(twice, twice, good, good, good)
    assert first == second == {"id": None, "error": first["error"]}
    assert first["error"] == {
        "type": "member-invalid",
        "detail": "'calendar' occurs twice in one object. Remove one of them.",
    }
    assert later == [expected] * 3
    for more in (b'"calendar": 0', b'"calendar": false', b'"calendar" : 0', b'"id": "b"', b'"c\\u0061lendar": 0'):
        assert answer(good, good, good[:-1] + b", " + more + b"}")[-1]["error"]["type"] == "member-invalid"
    assert error_of(json.dumps(case()).replace('"value"', '"value": 1, "value"').encode()) == (None, "member-invalid")


def test_byte_order_mark_is_ignored() -> None:
    """A file may begin with a byte order mark, and so may each of several concatenated files."""
    marked = json.dumps(case()).encode("utf-8-sig")
    assert answer(marked, marked) == [only(case())] * 2


def test_deeply_nested_calendar_is_an_error() -> None:
    """A calendar that is nested too deeply is answered with an error."""
    line = json.dumps(case(calendar="HERE")).replace('"HERE"', '{"a":' * 900 + "1" + "}" * 900)
    assert error_of(line.encode())[0] in ("a", None)


def test_deeply_nested_line_is_an_error_with_own_message() -> None:
    """The message for a line that is nested too deeply is not the interpreter's."""
    assert only(b'{"id":' * 100_000)["error"]["detail"] == "The line is nested too deeply. A case needs six levels."


def test_lines_are_answered_in_order_with_any_line_end() -> None:
    """There is one answer per line, in order; lines may end in CR LF, and the last one without a line end."""
    lines = [json.dumps(case(id=number)).encode() + b" \t\r" for number in range(2000)]
    assert [found["id"] for found in answer(*lines)] == list(range(2000))


def test_shared_calendar_gives_the_same_answers() -> None:
    """A calendar that is recognised by its text gives the same answers as a parsed one, in any order of lines."""
    other = exception("2017-11-07", "off")
    lines = [json.dumps(case(id=n, calendar=other if n % 3 == 0 else WEEK)).encode() for n in range(40)]
    lines += [json.dumps(dict(reversed(case(id=n).items()))).encode() for n in range(40, 60)]
    lines += [json.dumps(case(id=60) | {"pauses": [{"calendar": WEEK}]}).encode()]
    lines += [json.dumps(case(id=61)).replace('"calendar": ', '"calendar" : ').encode()]
    lines += [json.dumps(case(id='"calendar":')).encode(), json.dumps(case(id=62, calendar=0)).encode()]
    alone = [json.loads(Answers(lambda: CENTRE).of(line)) for line in lines]
    assert answer(*lines) == alone
    assert len({json.dumps(found.get("due_at")) for found in alone}) == 3


def test_position_in_error_is_that_of_the_original_line() -> None:
    """The position in a syntax error is correct also after a calendar that was recognised by its text."""
    good, bad = json.dumps(case()).encode(), json.dumps(case()).replace('"term":', '"term"').encode()
    assert answer(good, good, bad)[-1] == only(bad)


def test_centre_is_not_read_for_inline_calendars() -> None:
    """Cases with inline calendars need no centre's folder."""

    def missing() -> Any:
        raise AssertionError("read")

    assert json.loads(Answers(missing).of(json.dumps(case()).encode()))["state"] == "running"


def test_each_line_is_answered_before_the_next_read() -> None:
    """A client that sends line by line has each answer before the next read, however the bytes are split."""
    line = json.dumps(case()).encode() + b"\n"
    sink = io.BytesIO()
    seen: list[int] = []

    parts = [line[:20], line[20:] + line[:-1], b"\n", line]

    class Cut(io.BytesIO):
        def read1(self, _: int | None = -1, /) -> bytes:
            seen.append(sink.getvalue().count(b"\n"))
            return parts.pop(0) if parts else b""

    assert run_lines(Cut(), sink, lambda: CENTRE) == 0
    assert seen == [0, 0, 1, 2, 3]


def test_answer_has_explanation_on_request() -> None:
    """With a language, each answer has an explanation; an error has none."""
    answers = Answers(lambda: CENTRE, "en")
    pause = {"pauses": [{"from": "2017-11-06T10:00:00+07:00", "to": "2017-11-08T10:00:00+07:00"}]}
    extended = {"extensions": [{"at": "2017-11-08T11:00:00+07:00", "working_days": 1}]}
    found = json.loads(answers.of(json.dumps(case(**pause, **extended)).encode()))
    explanation = found["explanation"]
    assert datetime.fromisoformat(explanation["due_at"]) == datetime.fromisoformat(found["due_at"])
    assert [step["what"] for step in explanation["shifts"]] == ["pause", "extension"]
    assert sum(day["counted_seconds"] for day in explanation["days"]) == explanation["given_seconds"] == 24 * 3600
    assert json.loads(answers.of(json.dumps(case(term=None)).encode()))["explanation"]["days"] == []
    assert "explanation" not in json.loads(answers.of(b"{}"))
