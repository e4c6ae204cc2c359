"""Properties of `motcua due --jsonl`: the answers equal sla's clock for the same changes."""

import json
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from motcua.due.lines import Answers
from services.sla.domain.calendar import Calendar, compile_calendar, rules_known_at
from services.sla.domain.clock import ClockChange, derive, recorded_by
from services.sla.domain.errors import ExtensionRefusedError
from shared.kernel.centre import Term
from tests.unit.motcua.lines import CENTRE
from tests.unit.sla.test_term_properties import extended_courses, terms

RULES = CENTRE.calendar
ZONE = CENTRE.zone
ANSWERS = Answers(lambda: CENTRE)
COMPILED: dict[datetime | None, Calendar] = {None: compile_calendar(RULES)}
INLINE: dict[str, Any] = {
    "weekdays": sorted(RULES.weekdays),
    "hours": [[f"{window.opens:%H:%M}", f"{window.closes:%H:%M}"] for window in RULES.windows],
    "exceptions": [
        {"date": str(each.on), "kind": each.kind, "status": each.status}
        | ({"known_from": each.known_from.isoformat()} if each.known_from else {})
        | ({"hours": [["07:00", "11:30"], ["13:30", "17:00"]]} if each.kind == "working" else {})
        for each in RULES.exceptions
    ],
}


def as_line(
    term: Term, changes: tuple[ClockChange, ...], draw: Any, *, calendar: Any, known_at: datetime | None
) -> dict[str, Any]:
    starts = [each.at for each in changes if each.kind == "paused"]
    ends = [each.at for each in changes if each.kind == "resumed"]
    pauses = [{"from": start.isoformat()} for start in starts]
    for pause, end in zip(pauses, ends, strict=False):
        pause["to"] = end.isoformat()
    extensions = [
        {"at": each.at.isoformat()}
        | ({"to_date": str(each.to_date)} if each.to_date else {"working_days": each.working_days})
        for each in changes
        if each.kind == "extended"
    ]
    written: dict[str, Any] = {"value": term.value, "unit": term.unit}
    if term.counting == "by_days":
        written["counting"] = "by_days"
    if term.cut_off:
        written["cut_off"] = term.cut_off.isoformat()
    return {
        "id": 1,
        "calendar": calendar,
        "term": written,
        "received_at": changes[0].at.astimezone(ZONE).isoformat(),
        "pauses": draw(st.permutations(pauses)),
        "extensions": draw(st.permutations(extensions)),
        "as_known_at": known_at.isoformat() if known_at else None,
    }


@settings(deadline=None)  # a new calendar is compiled on the way
@given(
    terms,
    extended_courses(),
    st.sampled_from(["vn-public", INLINE]),
    st.none() | st.integers(0, 60 * 24 * 100).map(lambda minutes: timedelta(minutes=minutes)),
    st.data(),
)
def test_answer_equals_the_clock_of_sla(
    term: Term, changes: tuple[ClockChange, ...], calendar: Any, known: timedelta | None, data: st.DataObject
) -> None:
    """Named and inline calendars, any order, with and without `as_known_at`: the answer equals the derived clock."""
    known_at = None if known is None else changes[0].at + known
    line = as_line(term, changes, data.draw, calendar=calendar, known_at=known_at)
    found = json.loads(ANSWERS.of(json.dumps(line).encode()))
    rules = RULES if known_at is None else rules_known_at(RULES, known_at)
    cached = None if rules is RULES else known_at
    if cached not in COMPILED:
        COMPILED.clear()
        COMPILED[None], COMPILED[cached] = compile_calendar(RULES), compile_calendar(rules)
    try:
        clock = derive(changes if known_at is None else recorded_by(changes, known_at), term, COMPILED[cached])
    except ExtensionRefusedError:
        assert found["error"]["type"] == "extension-refused"
        return
    assert datetime.fromisoformat(found["counted_from"]) == clock.counted_from
    assert (None if found["due_at"] is None else datetime.fromisoformat(found["due_at"])) == clock.due_at
    assert found["state"] == clock.state
    left = None if clock.remaining is None else clock.remaining // timedelta(seconds=1)
    assert found.get("remaining_seconds") == left


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FULL: dict[str, Any] = {
    "id": "a",
    "calendar": {
        "zone": "Asia/Ho_Chi_Minh",
        "weekdays": [1, 2, 3, 4, 5],
        "hours": [["07:00", "11:30"], ["13:30", "17:00"]],
        "exceptions": [
            {
                "date": "2017-11-11",
                "kind": "working",
                "hours": [["07:00", "11:30"]],
                "decided_by": "1/QĐ",
                "known_from": "2017-11-01",
                "status": "decided",
            }
        ],
    },
    "term": {"value": 2, "unit": "working_day", "counting": "by_hours", "cut_off": "15:00"},
    "received_at": "2017-11-06T07:00:00+07:00",
    "pauses": [{"from": "2017-11-06T10:00:00+07:00", "to": "2017-11-06T11:00:00+07:00"}],
    "extensions": [{"at": "2017-11-06T10:00:00+07:00", "working_days": 1}],
    "as_known_at": "2017-11-30T10:00:00+07:00",
}


def places(found: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, including the whole."""
    members = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [at] + [inner for name, each in members for inner in places(each, (*at, name))]


def put(found: Any, at: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at one place."""
    if not at:
        return value
    copy = dict(found) if isinstance(found, dict) else list(found)
    copy[at[0]] = put(found[at[0]], at[1:], value)
    return copy


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(places(FULL)), JSON, st.sampled_from(places(FULL)), JSON)
def test_any_value_at_any_place_is_answered(
    place: tuple[Any, ...], value: Any, other: tuple[Any, ...], second: Any
) -> None:
    """The answer is a due date or an error with type and detail; the run never ends."""
    changed = put(FULL, place, value)
    if other in places(changed):
        changed = put(changed, other, second)
    found = json.loads(ANSWERS.of(json.dumps(changed).encode()))
    if "error" in found:
        assert found["error"].keys() == {"type", "detail"}
        assert found["error"]["detail"]
    else:
        assert found["state"] in ("running", "paused", "no_term")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_answered_with_an_error(line: bytes) -> None:
    """Random bytes are answered with an error."""
    assert "error" in json.loads(ANSWERS.of(line))
