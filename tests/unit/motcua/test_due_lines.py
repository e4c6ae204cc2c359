"""`motcua due --jsonl` as a stream: one answer a line, in order, whatever comes."""

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
def test_lines_that_name_no_case(line: bytes, slug: str) -> None:
    """A bad line answers an error line without an id, and the run goes on."""
    before, bad, after = answer(case(id="before"), line, case(id="after"))
    assert (before["id"], bad["id"], bad["error"]["type"], after["id"]) == ("before", None, slug, "after")


def test_a_member_stands_once() -> None:
    """Of two calendars, ids or values nobody knows which is meant; and no later line is answered by the wrong one."""
    other = exception("2017-11-07", "off")
    twice = json.dumps(case(calendar=other)).replace('"term"', f'"calendar": {json.dumps(WEEK)}, "term"').encode()
    good = json.dumps(case(calendar=other)).encode()
    expected = only(good)
    first, second, *later = answer(twice, twice, good, good, good)
    assert first == second == {"id": None, "error": first["error"]}
    assert first["error"] == {"type": "member-invalid", "detail": "'calendar' stands twice in one object: keep one"}
    assert later == [expected] * 3
    for more in (b'"calendar": 0', b'"calendar": false', b'"calendar" : 0', b'"id": "b"', b'"c\\u0061lendar": 0'):
        assert answer(good, good, good[:-1] + b", " + more + b"}")[-1]["error"]["type"] == "member-invalid"
    assert error_of(json.dumps(case()).replace('"value"', '"value": 1, "value"').encode()) == (None, "member-invalid")


def test_a_mark_of_byte_order_is_no_part_of_a_line() -> None:
    """A file may begin with one, and so may each of several that were joined."""
    marked = json.dumps(case()).encode("utf-8-sig")
    assert answer(marked, marked) == [only(case())] * 2


def test_a_calendar_nested_without_end_is_an_error() -> None:
    """It is answered, whatever lies in it."""
    line = json.dumps(case(calendar="HERE")).replace('"HERE"', '{"a":' * 900 + "1" + "}" * 900)
    assert error_of(line.encode())[0] in ("a", None)


def test_a_line_nested_without_end_is_told_in_our_words() -> None:
    """Not in the interpreter's."""
    assert only(b'{"id":' * 100_000)["error"]["detail"] == "the line is nested too deeply: a case needs six levels"


def test_order_and_line_ends() -> None:
    """One answer a line, in order, whether lines end in CR LF or the last one in nothing."""
    lines = [json.dumps(case(id=number)).encode() + b" \t\r" for number in range(2000)]
    assert [found["id"] for found in answer(*lines)] == list(range(2000))


def test_members_in_any_order_and_a_calendar_shared_by_text() -> None:
    """A calendar that is recognised by its text gives what it gives when it is read: also among others, also twice."""
    other = exception("2017-11-07", "off")
    lines = [json.dumps(case(id=n, calendar=other if n % 3 == 0 else WEEK)).encode() for n in range(40)]
    lines += [json.dumps(dict(reversed(case(id=n).items()))).encode() for n in range(40, 60)]
    lines += [json.dumps(case(id=60) | {"pauses": [{"calendar": WEEK}]}).encode()]
    lines += [json.dumps(case(id=61)).replace('"calendar": ', '"calendar" : ').encode()]
    lines += [json.dumps(case(id='"calendar":')).encode(), json.dumps(case(id=62, calendar=0)).encode()]
    alone = [json.loads(Answers(lambda: CENTRE).of(line)) for line in lines]
    assert answer(*lines) == alone
    assert len({json.dumps(found.get("due_at")) for found in alone}) == 3


def test_a_place_in_a_line_is_told_whatever_came_before() -> None:
    """Also where the calendar before that place was recognised by its text."""
    good, bad = json.dumps(case()).encode(), json.dumps(case()).replace('"term":', '"term"').encode()
    assert answer(good, good, bad)[-1] == only(bad)


def test_centre_is_read_only_where_a_calendar_is_named() -> None:
    """Cases that bring their calendars along need no centre's folder."""

    def missing() -> Any:
        raise AssertionError("read")

    assert json.loads(Answers(missing).of(json.dumps(case()).encode()))["state"] == "running"


def test_lines_are_answered_as_they_come() -> None:
    """Whoever asks line by line has each answer before the next question, however the bytes are cut."""
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


def test_lines_with_their_explanations() -> None:
    """Each answer brings its explanation along; an error has none."""
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
