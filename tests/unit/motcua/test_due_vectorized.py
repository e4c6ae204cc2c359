"""The vectorised derivation gives the same bytes as row by row, including errors and order."""

import io
import json
import os
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motcua.due import vectorized
from motcua.due.calendars import Calendars
from motcua.due.cases import Cases
from motcua.due.lines import Answers, run_lines
from motcua.due.vectorized import VectorizedAnswers
from tests.bench.due_lines import OWN, cases
from tests.unit.motcua.lines import CENTRE, MONDAY, WEEK, case, exception

SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")
BERLIN = {**WEEK, "zone": "Europe/Berlin", "weekdays": [1, 2, 3, 4, 5, 6, 7]}
TWICE = {**WEEK, "zone": "America/St_Johns"}
IDLE = {**WEEK, "weekdays": []}
CALENDARS = ["vn-public", WEEK, OWN, BERLIN, TWICE, IDLE, {**WEEK, "zone": "Nowhere"}]
TERMS = [
    None,
    {"value": 2, "unit": "working_day"},
    {"value": 40, "unit": "working_day", "counting": "by_days"},
    {"value": 12, "unit": "working_hour", "cut_off": "02:30"},
    {"value": 30, "unit": "calendar_day"},
    {"value": 0, "unit": "same_day", "cut_off": "15:00"},
    {"unit": "same_day"},
    {"value": 1_000_001, "unit": "working_day"},
    {"value": 9_000, "unit": "working_day"},
    {"value": 0, "unit": "working_day"},
    {"value": 2.0, "unit": "working_day"},
]
STARTS = [
    datetime.fromisoformat(f"{day}T22:00:00Z") for day in ("1900-01-01", "2008-10-31", "2017-11-03", "2019-10-26")
]


def answered(lines: list[bytes]) -> bytes:
    sink = io.BytesIO()
    run_lines(io.BytesIO(b"\n".join(lines)), sink, lambda: CENTRE)
    return sink.getvalue()


def row_by_row(lines: list[bytes]) -> bytes:
    answers = Answers(lambda: CENTRE)
    return "".join(answers.of(line) for line in lines).encode()


def supported(lines: list[bytes]) -> list[bool]:
    """Which of these lines the vectorised derivation answers."""
    return [answer is not None for answer in VectorizedAnswers(Cases(Calendars(lambda: CENTRE))).answers(lines)]


class RandomLines:
    """Random lines: many have errors, and many are unusual but valid."""

    def __init__(self, generator: random.Random) -> None:
        self._random = generator

    def line(self, calendar: Any, start: datetime) -> bytes:
        draw = self._random
        received_at = start + timedelta(minutes=draw.randrange(-2000, 200_000))
        given: dict[str, Any] = {
            "id": draw.choice([draw.randrange(99), "ô", '"quoted"', -0, 10**30]),
            "calendar": calendar,
            "term": draw.choice(TERMS if self.chance(0.05) else TERMS[:7]),
            "received_at": self.instant(received_at),
        }
        if self.chance(0.5):
            given["pauses"] = [self.pause(received_at) for _ in range(draw.choice([0, 1, 1, 2, 2, 3, 9]))]
        if self.chance(0.4):
            given["extensions"] = [self.extension(received_at) for _ in range(draw.choice([0, 1, 1, 2]))]
        if self.chance(0.4):
            given["as_known_at"] = self.instant(received_at + timedelta(minutes=draw.randrange(-20, 20_000)))
        if self.chance(0.05):
            given[draw.choice(["pauses", "extensions", "as_known_at", "received_at", "id", "more"])] = None
        if self.chance(0.1):
            given = dict(reversed(given.items()))
        text = json.dumps(given, ensure_ascii=draw.random() < 0.5)
        if self.chance(0.05):
            name, value = draw.choice(list(given.items()))
            text = f"{text[:-1]}, {json.dumps(name)}: {json.dumps(value)}}}"
        if self.chance(0.03):
            at = draw.randrange(len(text))
            text = text[:at] + draw.choice(["", '"', "\\", "{", "0", " ", "\ufeff"]) + text[at + draw.randrange(2) :]
        return text.encode()

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def instant(self, at: datetime) -> str:
        draw = self._random
        if not self.chance(0.08):
            return at.astimezone(SAIGON).isoformat()
        offset = timezone(timedelta(minutes=draw.choice([-570, -1, 60, 1439])))
        return draw.choice(
            [
                at.astimezone(offset).isoformat(),
                at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                (at + timedelta(microseconds=draw.choice([1, 250_000]))).isoformat(),
                at.isoformat(sep=" "),
                at.strftime("%Y%m%dT%H%M%S+0000"),
                at.replace(tzinfo=None).isoformat(),
                at.isoformat().replace("-", "-3", 1),
                "2017-02-29T07:00:00+07:00",
                "2017-11-06T07:00:00+24:00",
                "2017-11-06T07:00:00+07:60",
                "2017-11-06T07:00:60+07:00",
                "2017-11-06t07:00:00+07:00",
                "0000-11-06T07:00:00+07:00",
                "0001-01-01T00:00:00+07:00",
                "9999-12-31T23:59:59-07:00",
                "２017-11-06T07:00:00+07:00",
            ]
        )

    def pause(self, received_at: datetime) -> dict[str, Any]:
        begin = received_at + timedelta(minutes=30 * self._random.randrange(0, 600))
        pause = {"from": self.instant(begin)}
        if not self.chance(0.2):
            pause["to"] = self.instant(begin + timedelta(minutes=30 * self._random.randrange(0, 80)))
        if self.chance(0.2):
            pause["recorded_at"] = self.instant(begin + timedelta(minutes=30 * self._random.randrange(-9, 90)))
        return pause

    def extension(self, received_at: datetime) -> dict[str, Any]:
        at = {"at": self.instant(received_at + timedelta(minutes=30 * self._random.randrange(0, 200)))}
        if self.chance(0.2):
            return at | {"to_date": str((received_at + timedelta(days=30)).date())}
        days = self._random.choice([0, 1.0, True, 1_000_001]) if self.chance(0.05) else self._random.randrange(1, 20)
        return at | {"working_days": days}


@pytest.fixture(scope="module", autouse=True)
def _vectorize_any_number_of_rows() -> Iterator[None]:
    """Use the vectorised derivation also for few rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectorized, "MIN_ROWS", 1)
        yield


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(CALENDARS), st.sampled_from(STARTS), st.integers(0, 1 << 32))
def test_vectorized_answers_equal_row_by_row_answers(calendar: Any, start: datetime, seed: int) -> None:
    """Both derivations give the same answers for random lines, some of which name another calendar."""
    generator = random.Random(seed)
    random_lines = RandomLines(generator)
    lines = [random_lines.line("vn-private" if generator.random() < 0.05 else calendar, start) for _ in range(60)]
    assert answered(lines) == row_by_row(lines)


@pytest.mark.parametrize("calendar", ["vn-public", OWN])
def test_benchmark_cases_are_vectorized(calendar: Any) -> None:
    """The vectorised derivation supports nearly all cases of the benchmark, with the same answers."""
    lines = [json.dumps(each).encode() for each in cases(3000, calendar)]
    assert sum(supported(lines)) > 0.99 * len(lines)
    assert answered(lines) == row_by_row(lines)


@pytest.mark.parametrize(
    "more",
    [
        {"pauses": [{"from": "2017-11-06T10:00:00+07:00", "to": "2017-11-06T11:00:00+07:00"}]},
        {"pauses": [{"from": "2017-11-06T10:00:00+07:00"}]},
        {"pauses": [{"from": "2017-11-30T10:00:00+07:00"}]},
        {"pauses": [], "extensions": [{"at": "2017-11-06T10:00:00+07:00", "working_days": 3}]},
        {"received_at": "2017-11-06T00:00:00Z"},
        {"as_known_at": "2017-11-06T10:00:00+07:00"},
        {"term": None},
    ],
)
def test_supported_case_is_vectorized(more: dict[str, Any]) -> None:
    """Any id, pauses, added working days while the clock runs, a past instant, or no term are supported."""
    lines = [json.dumps(case(id=name, **more)).encode() for name in (1, "a", "ô", "\\")]
    assert supported(lines) == [True] * 4
    assert answered(lines) == row_by_row(lines)


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(case())[:-1] + ', "id": "a"}',
        json.dumps(case())[:-1] + ', "received_at": "2017-11-06T07:00:00+07:00"}',
        json.dumps(case())[:-1] + ', "c\\u0061lendar": "vn-public"}',
        json.dumps(case()).replace('"unit"', '"value": 2, "unit"'),
        json.dumps(case(extensions=[{"at": MONDAY, "working_days": 1}])).replace('"at"', '"working_days": 1, "at"'),
        json.dumps(case(pauses=[{"from": MONDAY, "to": MONDAY}])).replace('"to"', f'"from": "{MONDAY}", "to"'),
        json.dumps(case(id="CUT")).replace("CUT", "\\ud800"),
        json.dumps(case(received_at="2017-11-06T07:00:00.5+07:00")),
        json.dumps(case(pauses=[{"from": MONDAY, "to": "2017-11-06T09:00:00+07:00"}, {"from": MONDAY}])),
        json.dumps(case(term=None, extensions=[{"at": MONDAY, "working_days": 1}])),
        json.dumps(case(calendar=TWICE, received_at="2008-10-31T07:00:00+07:00")),
    ],
)
def test_unsupported_case_is_derived_row_by_row(line: str) -> None:
    """Duplicate members, of which the decoder takes the last, and errors are not supported."""
    lines = [json.dumps(case()).encode(), line.encode(), json.dumps(case(id=2)).encode()]
    assert supported(lines) == [True, False, True]
    assert answered(lines) == row_by_row(lines)


def test_repeated_hour_is_derived_row_by_row() -> None:
    """A receipt and a cut-off in a repeated hour are compared in local time."""
    term = {"value": 1, "unit": "working_day", "cut_off": "02:30"}
    hours = [f"2019-10-27T0{hour}:15:00Z" for hour in range(3)]
    lines = [json.dumps(case(calendar=BERLIN, term=term, received_at=each)).encode() for each in hours]
    assert answered(lines) == row_by_row(lines)


def test_answer_does_not_depend_on_other_lines() -> None:
    """The span in an error is that of its own receipt, although the compiled span is longer for other lines."""
    far = {"value": 1_000_000, "unit": "working_day"}
    lines = [json.dumps(case(term=far, received_at=f"20{year}-11-06T07:00:00Z")).encode() for year in (17, 10, 30)]
    found = [answered([line]) for line in lines]
    assert b"covers 2017-11-02 to 2057-12-10" in found[0]
    assert answered(lines) == b"".join(found)


def test_receipt_outside_the_calendar_is_an_error() -> None:
    """A receipt after the end of the calendar is an error; other lines are answered."""
    lines = [
        json.dumps(case(calendar="vn-public", received_at=f"{year}-11-06T07:00:00Z")).encode() for year in (2017, 2040)
    ]
    assert [json.loads(each).get("error", {}).get("type") for each in answered(lines).splitlines()] == [
        None,
        "outside-calendar",
    ]
    assert (
        answered([json.dumps(case(calendar=exception("2017-11-07", "off"))).encode()] * 2).count(b"2017-11-08T17") == 2
    )


def test_pipe_is_answered_without_waiting_for_more_lines() -> None:
    """All lines that are written so far are answered before the next are written."""
    asks, ask = os.pipe()
    answers, answer = os.pipe()
    with os.fdopen(asks, "rb") as source, os.fdopen(answer, "wb") as sink, os.fdopen(answers, "rb") as received:
        thread = threading.Thread(target=run_lines, args=(source, sink, lambda: CENTRE))
        thread.start()
        try:
            for count in (1, 50, 1):
                os.write(ask, b"".join(json.dumps(case(id=number)).encode() + b"\n" for number in range(count)))
                assert [json.loads(received.readline())["id"] for _ in range(count)] == list(range(count))
        finally:
            os.close(ask)
            thread.join()
