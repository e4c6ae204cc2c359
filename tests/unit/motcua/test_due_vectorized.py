"""Lines are answered at once, by columns, as they are one by one: byte by byte, errors and order included."""

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


def one_by_one(lines: list[bytes]) -> bytes:
    answers = Answers(lambda: CENTRE)
    return "".join(answers.of(line) for line in lines).encode()


def plain(lines: list[bytes]) -> list[bool]:
    """Which of these are answered by columns."""
    return [told is not None for told in VectorizedAnswers(Cases(Calendars(lambda: CENTRE))).answers(lines)]


class Drawn:
    """Lines by lot, of which many are in error, and many are odd and are not."""

    def __init__(self, lot: random.Random) -> None:
        self._lot = lot

    def line(self, calendar: Any, start: datetime) -> bytes:
        lot = self._lot
        received_at = start + timedelta(minutes=lot.randrange(-2000, 200_000))
        given: dict[str, Any] = {
            "id": lot.choice([lot.randrange(99), "ô", '"quoted"', -0, 10**30]),
            "calendar": calendar,
            "term": lot.choice(TERMS if self.seldom(0.05) else TERMS[:7]),
            "received_at": self.instant(received_at),
        }
        if self.seldom(0.5):
            given["pauses"] = [self.pause(received_at) for _ in range(lot.choice([0, 1, 1, 2, 2, 3, 9]))]
        if self.seldom(0.4):
            given["extensions"] = [self.extension(received_at) for _ in range(lot.choice([0, 1, 1, 2]))]
        if self.seldom(0.4):
            given["as_known_at"] = self.instant(received_at + timedelta(minutes=lot.randrange(-20, 20_000)))
        if self.seldom(0.05):
            given[lot.choice(["pauses", "extensions", "as_known_at", "received_at", "id", "more"])] = None
        if self.seldom(0.1):
            given = dict(reversed(given.items()))
        text = json.dumps(given, ensure_ascii=lot.random() < 0.5)
        if self.seldom(0.05):
            name, value = lot.choice(list(given.items()))
            text = f"{text[:-1]}, {json.dumps(name)}: {json.dumps(value)}}}"
        if self.seldom(0.03):
            at = lot.randrange(len(text))
            text = text[:at] + lot.choice(["", '"', "\\", "{", "0", " ", "\ufeff"]) + text[at + lot.randrange(2) :]
        return text.encode()

    def seldom(self, share: float) -> bool:
        return self._lot.random() < share

    def instant(self, at: datetime) -> str:
        lot = self._lot
        if not self.seldom(0.08):
            return at.astimezone(SAIGON).isoformat()
        offset = timezone(timedelta(minutes=lot.choice([-570, -1, 60, 1439])))
        return lot.choice(
            [
                at.astimezone(offset).isoformat(),
                at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                (at + timedelta(microseconds=lot.choice([1, 250_000]))).isoformat(),
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
        begin = received_at + timedelta(minutes=30 * self._lot.randrange(0, 600))
        pause = {"from": self.instant(begin)}
        if not self.seldom(0.2):
            pause["to"] = self.instant(begin + timedelta(minutes=30 * self._lot.randrange(0, 80)))
        if self.seldom(0.2):
            pause["recorded_at"] = self.instant(begin + timedelta(minutes=30 * self._lot.randrange(-9, 90)))
        return pause

    def extension(self, received_at: datetime) -> dict[str, Any]:
        at = {"at": self.instant(received_at + timedelta(minutes=30 * self._lot.randrange(0, 200)))}
        if self.seldom(0.2):
            return at | {"to_date": str((received_at + timedelta(days=30)).date())}
        days = self._lot.choice([0, 1.0, True, 1_000_001]) if self.seldom(0.05) else self._lot.randrange(1, 20)
        return at | {"working_days": days}


@pytest.fixture(scope="module", autouse=True)
def _by_columns_if_at_all() -> Iterator[None]:
    """Also where there are so few of a kind that one by one is sooner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectorized, "MIN_ROWS", 1)
        yield


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(CALENDARS), st.sampled_from(STARTS), st.integers(0, 1 << 32))
def test_at_once_and_one_by_one_are_one(calendar: Any, start: datetime, seed: int) -> None:
    """Whatever the lines, among them some that name another calendar."""
    lot = random.Random(seed)
    drawn = Drawn(lot)
    lines = [drawn.line("vn-private" if lot.random() < 0.05 else calendar, start) for _ in range(60)]
    assert answered(lines) == one_by_one(lines)


@pytest.mark.parametrize("calendar", ["vn-public", OWN])
def test_nearly_all_of_what_is_measured_is_answered_at_once(calendar: Any) -> None:
    """By columns, and alike; so the property above is about more than errors, and the benchmark about this."""
    lines = [json.dumps(each).encode() for each in cases(3000, calendar)]
    assert sum(plain(lines)) > 0.99 * len(lines)
    assert answered(lines) == one_by_one(lines)


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
def test_what_is_plain(more: dict[str, Any]) -> None:
    """Any id, pauses, working days added while the clock runs, a past instant, no term."""
    lines = [json.dumps(case(id=name, **more)).encode() for name in (1, "a", "ô", "\\")]
    assert plain(lines) == [True] * 4
    assert answered(lines) == one_by_one(lines)


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
def test_what_is_left_to_the_stepwise_form(line: str) -> None:
    """What stands twice, above all, for the decoder takes the last; and errors, among good lines."""
    lines = [json.dumps(case()).encode(), line.encode(), json.dumps(case(id=2)).encode()]
    assert plain(lines) == [True, False, True]
    assert answered(lines) == one_by_one(lines)


def test_an_hour_that_comes_twice() -> None:
    """Received in it with a cut-off in it: by local time, as the stepwise form has it."""
    term = {"value": 1, "unit": "working_day", "cut_off": "02:30"}
    hours = [f"2019-10-27T0{hour}:15:00Z" for hour in range(3)]
    lines = [json.dumps(case(calendar=BERLIN, term=term, received_at=each)).encode() for each in hours]
    assert answered(lines) == one_by_one(lines)


def test_an_answer_does_not_depend_on_other_lines() -> None:
    """What is compiled for others reaches farther; the span that an error names is that of its own receipt."""
    far = {"value": 1_000_000, "unit": "working_day"}
    lines = [json.dumps(case(term=far, received_at=f"20{year}-11-06T07:00:00Z")).encode() for year in (17, 10, 30)]
    found = [answered([line]) for line in lines]
    assert b"covers 2017-11-02 to 2057-12-10" in found[0]
    assert answered(lines) == b"".join(found)


def test_a_calendar_that_ends_too_early() -> None:
    """Among lines within it, one beyond it is answered by its error."""
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


def test_a_pipe_is_answered_as_it_is_written() -> None:
    """Nothing waits for more to come: one line has its answer, and so have many, before the next are written."""
    asks, ask = os.pipe()
    answers, answer = os.pipe()
    with os.fdopen(asks, "rb") as source, os.fdopen(answer, "wb") as sink, os.fdopen(answers, "rb") as told:
        thread = threading.Thread(target=run_lines, args=(source, sink, lambda: CENTRE))
        thread.start()
        try:
            for count in (1, 50, 1):
                os.write(ask, b"".join(json.dumps(case(id=number)).encode() + b"\n" for number in range(count)))
                assert [json.loads(told.readline())["id"] for _ in range(count)] == list(range(count))
        finally:
            os.close(ask)
            thread.join()
