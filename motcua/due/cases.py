"""The cases of `motcua due --jsonl`, row by row: parsed strictly from JSON, due dates derived by sla's rules.

docs/deadlines.md describes the grammar and all errors. A contradictory or incomplete case is an error, never a guess.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple, get_args
from zoneinfo import ZoneInfo

from motcua.due import members
from motcua.due.calendars import AHEAD, MAX_AHEAD, Calendars, CalendarSource
from motcua.due.errors import CaseError
from motcua.due.members import Members
from services.sla.domain.calendar import Calendar
from services.sla.domain.errors import ExtensionRefusedError
from services.sla.domain.term_run import Extension, Pause, TermRun, run_term
from shared.kernel.centre import Counting, Term, TermUnit
from shared.kernel.worktime import NoWorkingTimeError, OutsideCalendarError, format_instant

_CASE = Members(
    frozenset({"id", "calendar", "term", "received_at"}),
    frozenset({"pauses", "extensions", "as_known_at"}),
)
_TERM = Members(frozenset({"unit"}), frozenset({"value", "counting", "cut_off"}))
_PAUSE = Members(frozenset({"from"}), frozenset({"to", "recorded_at"}))
_EXTENSION = Members(frozenset({"at"}), frozenset({"working_days", "to_date"}))
_MAX_TERMS = 10_000
SHARED = 0
"""Placeholder for a calendar that was recognised by its text. In an input line it is an error, like any number."""


class Case(NamedTuple):
    """A parsed case. Pauses and extensions are in order of time.

    If `known_at` is set, they are only those known at that instant. `term` is None for a case without a term.
    """

    source: CalendarSource
    term: Term | None
    received_at: datetime
    pauses: Sequence[Pause]
    extensions: Sequence[Extension]
    known_at: datetime | None


class Cases:
    """Parses cases, with caches for repeated terms and calendars."""

    def __init__(self, calendars: Calendars) -> None:
        self._calendars = calendars
        self._terms: dict[tuple[Any, ...], Term] = {}

    def read(self, raw: object, shared: CalendarSource | None = None) -> Case:
        """Return a case from its decoded JSON, with the pauses and extensions known at `as_known_at`.

        With `shared`, the value SHARED in place of the calendar means `shared`. Raises CaseError if anything is
        missing, unknown, invalid or contradictory, and StartError as `source` does.
        """
        case = members.require(raw, _CASE)
        received_at = members.instant(case["received_at"], "received_at")
        known_at = case.get("as_known_at")
        if known_at is not None:
            known_at = members.instant(known_at, "as_known_at")
            if known_at < received_at:
                raise CaseError(
                    "known-before-receipt",
                    "as_known_at is before received_at. Use a later instant.",
                )
        term = self.term(case["term"])
        source = shared if shared is not None and case["calendar"] == SHARED else self.source(case["calendar"])
        pauses = case.get("pauses")
        extensions = case.get("extensions")
        return Case(
            source=source,
            term=term,
            received_at=received_at,
            pauses=_pauses(pauses, received_at, known_at, source.zone) if pauses else _require_empty(pauses, "pauses"),
            extensions=_extensions(extensions, received_at, known_at, term, source.zone)
            if extensions
            else _require_empty(extensions, "extensions"),
            known_at=known_at,
        )

    def source(self, raw: object) -> CalendarSource:
        """Return the calendar of a case: `raw` is a name in the centre's folder (str), or the rules themselves (dict).

        Raises CaseError, and StartError if the centre's folder cannot be read.
        """
        if isinstance(raw, str):
            return self._calendars.named(raw)
        if isinstance(raw, dict):
            try:
                return self._calendars.inline(raw)
            except RecursionError:
                raise CaseError("calendar-invalid", "calendar is nested too deeply.") from None
        raise CaseError("member-invalid", "calendar must be the name of a calendar of the centre, or an object.")

    def term(self, raw: object) -> Term | None:
        """Return the term of a case from its decoded JSON; None for null. Raises CaseError if it is invalid."""
        if raw is None:
            return None
        term = members.require(raw, _TERM, "term")
        value = term.get("value")
        key = tuple(term.items())
        try:  # 2, 2.0 and true are equal keys, so only an int is looked up
            found = self._terms.get(key) if type(value) is int else None
        except TypeError:  # an unhashable value, such as a list
            found = None
        if found is None:
            if "value" not in term and term["unit"] != "same_day":
                raise CaseError("member-missing", "term lacks value.")
            found = _new_term(value, term["unit"], term.get("counting"), term.get("cut_off"))
            if len(self._terms) >= _MAX_TERMS:
                self._terms.clear()
            self._terms[key] = found
        return found


def derive_case(case: Case) -> tuple[datetime, TermRun | None, Calendar]:
    """Derive a case: return the instant from which its term counts, its term's course, and the calendar used.

    Without a term, the course is None and the instant is the first opening from the receipt on. An inline calendar is
    compiled for longer until it covers the due date. Raises CaseError if there is no due date that it could cover, no
    working time, or an extension that sla's rules refuse.
    """
    ahead = AHEAD
    while True:
        try:
            calendar = case.source.calendar(case.known_at, case.received_at, ahead)
            if case.term is None:
                return calendar.worktime.from_opening(case.received_at), None, calendar
            course = run_term(case.term, case.received_at, case.pauses, case.extensions, calendar)
            return course.counted_from, course, calendar
        except NoWorkingTimeError as error:
            raise CaseError("no-working-time", str(error)) from None
        except ExtensionRefusedError as error:
            raise CaseError("extension-refused", str(error)) from None
        except OverflowError:
            raise CaseError("outside-calendar", "The due date is later than any calendar can cover.") from None
        except OutsideCalendarError as error:
            if case.source.has_span or ahead >= MAX_AHEAD:
                raise CaseError("outside-calendar", str(case.source.outside_error(error, case.received_at))) from None
            ahead = min(4 * ahead, MAX_AHEAD)


def _new_term(value: object, unit: object, counting: object, cut_off: object) -> Term:
    if type(value) is not int and not (value is None and unit == "same_day"):
        raise CaseError("term-invalid", "term.value must be a whole number.")
    if unit not in get_args(TermUnit):
        raise CaseError("term-invalid", f"term.unit {unit!r} is unknown. Use one of {', '.join(get_args(TermUnit))}.")
    if counting is not None and counting not in get_args(Counting):
        raise CaseError(
            "term-invalid", f"term.counting {counting!r} is unknown. Use one of {', '.join(get_args(Counting))}."
        )
    if unit == "working_hour" and counting == "by_days":
        raise CaseError("term-invalid", "term.counting by_days requires the unit working_day, not working_hour.")
    until = None if cut_off is None else members.clock_time(cut_off, "term.cut_off")
    try:
        # same_day has no value; only working days have a way of counting
        return Term(
            0 if unit == "same_day" else value,  # type: ignore[arg-type] # None only with same_day
            unit,  # type: ignore[arg-type] # checked above
            counting if unit == "working_day" and counting else "by_hours",  # type: ignore[arg-type] # checked above
            until,
        )
    except ValueError as error:
        raise CaseError("term-invalid", f"term: {error}") from None


def _pauses(raw: object, received_at: datetime, known_at: datetime | None, zone: ZoneInfo) -> list[Pause]:
    """Parse the pauses of a case. Return those known at `known_at` (None: all), in order of time.

    A pause is known from `recorded_at` on, but not before it begins. Its end is known when it comes; a pause whose end
    is not known yet is returned as open. Raises CaseError if one is invalid or if two overlap; they may touch.
    """
    found: list[tuple[datetime, datetime | None, datetime | None]] = []
    for place, each in enumerate(members.items(raw, "pauses")):
        pause = members.require(each, _PAUSE, "pauses", place)
        start = members.instant(pause["from"], "pauses", place, "from")
        end, recorded_at = pause.get("to"), pause.get("recorded_at")
        if end is not None:
            end = members.instant(end, "pauses", place, "to")
            if end < start:
                raise CaseError("pause-invalid", f"pauses/{place} ends before it begins.")
        if recorded_at is not None:
            recorded_at = members.instant(recorded_at, "pauses", place, "recorded_at")
        if start < received_at:
            raise CaseError("pause-invalid", f"pauses/{place} begins before received_at. Use a later instant.")
        found.append((start, end, recorded_at))
    if len(found) > 1:
        found.sort(key=_by_start)
    for (_, end, _), (start, _, _) in pairwise(found):
        if end is None or start < end:
            at = format_instant(zone, start)
            raise CaseError("pauses-overlap", f"A pause begins at {at} during another pause.")
    return [
        Pause(start, None if end is None or (known_at is not None and end > known_at) else end)
        for start, end, recorded_at in found
        if known_at is None or max(recorded_at or start, start) <= known_at
    ]


def _by_start(pause: tuple[datetime, datetime | None, datetime | None]) -> tuple[datetime, bool, datetime]:
    start, end, _ = pause
    return start, end is None, end or start


def _extensions(
    raw: object, received_at: datetime, known_at: datetime | None, term: Term | None, zone: ZoneInfo
) -> list[Extension]:
    """Parse the extensions of a case. Return those known at `known_at` (None: all), in order of time.

    An extension is known from its `at` on. Raises CaseError if one is invalid, if two at one instant contradict each
    other, or if the case has no term.
    """
    found: list[Extension] = []
    for place, each in enumerate(members.items(raw, "extensions")):
        extension = members.require(each, _EXTENSION, "extensions", place)
        at = members.instant(extension["at"], "extensions", place, "at")
        days, to_date = extension.get("working_days"), extension.get("to_date")
        if (days is None) == (to_date is None):
            raise CaseError("extension-invalid", f"extensions/{place} needs either working_days or to_date.")
        if days is not None and members.whole_number(days, "extensions", place, "working_days") <= 0:
            raise CaseError("extension-invalid", f"extensions/{place}: working_days must be positive, not {days}.")
        if at < received_at:
            raise CaseError("extension-invalid", f"extensions/{place} is before received_at. Use a later instant.")
        found.append(
            Extension(at, days, None if to_date is None else members.day(to_date, "extensions", place, "to_date"))
        )
    if term is None:
        raise CaseError("extension-refused", "Without a term there is no due date to extend.")
    found.sort(key=lambda extension: extension.at)
    for one, other in pairwise(found):
        if one.at == other.at and (one.to_date or other.to_date):
            when = format_instant(zone, one.at)
            raise CaseError("extension-invalid", f"Two extensions at {when} contradict each other. Remove one.")
    return [each for each in found if known_at is None or each.at <= known_at]


def _require_empty(raw: object, where: str) -> tuple[()]:
    """Return an empty tuple for an empty list or null. Raises CaseError for another false value, such as 0 or ''."""
    if raw is not None:
        members.items(raw, where)
    return ()
