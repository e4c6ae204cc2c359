"""The plain cases among many lines, read and derived by columns: the same answers as one by one, many times sooner.

Plain is a case that shares its calendar with others, that is of the usual forms, and is due within what its calendar
covers. All else, and with it whatever may be an error, is left to motcua.due.cases.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

import msgspec
import numpy as np

from motcua.due import members
from motcua.due.calendars import Source
from motcua.due.cases import Cases
from motcua.due.errors import CaseError
from motcua.due.tables import MOST, NO_PLAIN_TERM, NO_TERM, Line, PlainTerm, Table, Whole, decode, table_of
from motcua.due.times import Told
from services.sla.domain.calendar import Calendar
from services.sla.vectorized import (
    NO_END,
    CalendarArrays,
    ExtensionRound,
    Instants,
    PauseRound,
    derive_vectorized,
    instants,
    moment,
)
from shared.kernel.centre import Term

_ANY = Term(0, "same_day")
FEWEST = 16
"""Fewer cases of one calendar or kind of term are answered sooner one by one."""
_KEPT_CALENDARS = 256
_KEPT_TERMS = 10_000
_LONGEST_TEXT = 200
_SECOND = 1_000_000


class _Spans(NamedTuple):
    """A compiled calendar by columns."""

    columns: CalendarArrays
    told: Told


@dataclass(frozen=True, slots=True)
class _Shared:
    """A calendar that lines share; `spans` is what was compiled, by how much was known (None: of no use by columns)."""

    source: Source
    known_from: Instants
    spans: dict[int, tuple[Calendar, _Spans | None]] = field(default_factory=dict)


class Plain:
    """Answers the plain cases among lines. Calendars and terms are recognised by their texts."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._calendars: dict[bytes, _Shared] = {}
        self._terms: dict[bytes, PlainTerm] = {}
        self._kinds: list[Term | None] = [None]

    def answers(self, lines: Sequence[bytes | None]) -> list[str | None]:
        """The answers to those lines that are plain. Raises StartError."""
        by_calendar: dict[bytes, list[tuple[int, Line]]] = {}
        for place, text in enumerate(lines):
            line = None if text is None else decode(text)
            if line is not None:
                by_calendar.setdefault(bytes(line.calendar), []).append((place, line))
        answers: list[str | None] = [None] * len(lines)
        for calendar, found in by_calendar.items():
            shared = self._shared(calendar) if len(found) >= FEWEST else None
            if shared is not None:
                marks = [(lines[place] or b"").replace(calendar, b"", 1).count(b'"') for place, _ in found]
                table = table_of([line for _, line in found], marks, self._term)
                for row, told in self._told(table, shared):
                    place, line = found[row]
                    name = quoted(line.id) if isinstance(line.id, str) else line.id
                    answers[place] = f'{{"id":{name},{told}}}\n'
        return answers

    def _shared(self, text: bytes) -> _Shared | None:
        """The calendar of that text; None if it is in error."""
        found = self._calendars.get(text)
        if found is None:
            try:
                source = self._cases.source(members.parsed(text.decode()))
            except (CaseError, UnicodeDecodeError):
                return None
            if len(self._calendars) >= _KEPT_CALENDARS:
                self._calendars.clear()
            self._calendars[text] = found = _Shared(source, instants(source.known_from))
        return found

    def _term(self, given: msgspec.Raw) -> PlainTerm:
        text = bytes(given)
        found = self._terms.get(text)
        if found is None:
            found = self._read_term(text)
            if len(text) <= _LONGEST_TEXT:
                if len(self._terms) >= _KEPT_TERMS:
                    self._terms.clear()
                self._terms[text] = found
        return found

    def _read_term(self, text: bytes) -> PlainTerm:
        """Its kind is NO_PLAIN_TERM where it is in error, too."""
        try:
            term = self._cases.term(members.parsed(text.decode()))
        except (CaseError, UnicodeDecodeError):
            return PlainTerm(NO_PLAIN_TERM, 0, 0)
        marks = text.count(b'"')
        if term is None:
            return PlainTerm(NO_TERM, 0, marks)
        kind = replace(term, value=min(term.value, 1))
        if term.value > MOST or (kind not in self._kinds and len(self._kinds) >= _KEPT_TERMS):
            return PlainTerm(NO_PLAIN_TERM, 0, marks)
        if kind not in self._kinds:
            self._kinds.append(kind)
        return PlainTerm(self._kinds.index(kind), term.value, marks)

    def _told(self, table: Table, shared: _Shared) -> Iterator[tuple[int, str]]:
        """Row and answer of those that are plain, without their names, group by group: of one kind of term, by one
        state of the calendar."""
        known = np.searchsorted(shared.known_from, table.known_at, side="right")
        known[table.known_at == NO_END] = -1
        group = np.where(table.plain, (known + 1) * len(self._kinds) + table.kind, -1)
        rows = np.argsort(group, kind="stable")
        for of in np.split(rows, np.flatnonzero(np.diff(group[rows])) + 1):
            if len(of) >= FEWEST and group[of[0]] >= 0:
                spans = _spans(shared, int(known[of[0]]), table.known_at[of[0]], table.received_at[of])
                if spans is not None:
                    yield from _answers(of, table, self._kinds[table.kind[of[0]]], spans)


def _spans(shared: _Shared, known: int, known_at: int, received_at: Instants) -> _Spans | None:
    """The calendar as known at that instant, compiled over these receipts; None where columns cannot count by it."""
    try:
        at = None if known < 0 else moment(known_at)
        for receipt in (received_at.min(), received_at.max()):
            calendar = shared.source.calendar(at, moment(receipt))
    except OverflowError:
        return None
    compiled, spans = shared.spans.get(known, (None, None))
    if compiled is not calendar:
        try:
            columns = CalendarArrays(calendar)
            spans = _Spans(columns, Told(calendar, columns))
        except ValueError:
            spans = None
        shared.spans[known] = calendar, spans
    return spans


def _answers(of: Whole, table: Table, term: Term | None, spans: _Spans) -> Iterator[tuple[int, str]]:
    """Rows and answers of one group; those that columns leave out are left out."""
    received_at, columns = table.received_at[of], spans.columns
    if term is None:
        found = derive_vectorized(_ANY, received_at, (), columns)
    else:
        place = np.full(len(table.plain), -1, dtype=np.int64)
        place[of] = np.arange(len(of))
        found = derive_vectorized(
            term,
            received_at,
            list(_rounds(table, place)),
            columns,
            values=table.value[of],
        )
    (starts, good), (dues, due_good) = spans.told(found.counted_from), spans.told(found.due_at)
    good &= ~found.not_covered & (due_good | found.paused)
    if term is not None and term.cut_off is not None:  # where an hour comes twice, columns do not see which is meant
        good &= spans.told.steady(received_at)
    left = found.left // _SECOND
    columns_told = (of, good, starts, dues, found.paused, left, table.stands[of])
    for row, is_good, start, due_at, paused, seconds, stands in zip(*(e.tolist() for e in columns_told), strict=True):
        if not is_good:
            continue
        if term is None:
            told = '"due_at":null,"state":"no_term"'
        elif paused:
            told = f'"due_at":null,"remaining_seconds":{seconds},"state":"paused"'
        elif stands:
            told = f'"due_at":"{due_at}","remaining_seconds":0,"state":"paused"'
        else:
            told = f'"due_at":"{due_at}","state":"running"'
        yield row, f'"counted_from":"{start}",{told}'


def _rounds(table: Table, place: Whole) -> Iterator[PauseRound | ExtensionRound]:
    """The first pauses and extensions of all rows, then the second: of those rows that have a place, by it."""
    found = []
    for entries, turns in ((table.pauses, table.pause_turns), (table.extensions, table.extension_turns)):
        here = place[entries.of] >= 0
        found.append((turns[here], [place[entries.of[here]], *(column[here] for column in entries[1:])], type(entries)))
    for turn in range(max(turns.max(initial=-1) for turns, _, _ in found) + 1):
        for turns, columns, kind in found:
            now = turns == turn
            if now.any():
                yield kind(*(column[now] for column in columns))
