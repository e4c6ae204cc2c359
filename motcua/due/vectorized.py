"""Vectorised derivation of many cases: the same answers as row by row, many times faster.

It supports cases that share their calendar with others, have the regular forms (docs/deadlines.md), and are due within
the dates of the compiled calendar. All other cases, including every case with an error, are left to the row-by-row
derivation (motcua.due.cases).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

import msgspec
import numpy as np

from motcua.due import members
from motcua.due.calendars import CalendarSource
from motcua.due.cases import Cases
from motcua.due.errors import CaseError
from motcua.due.tables import MAX_VALUE, NO_TERM, UNSUPPORTED_TERM, Line, ParsedTerm, Table, Whole, decode, table_of
from motcua.due.times import LocalTexts
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
MIN_ROWS = 16
"""With fewer cases of one calendar or kind of term, the row-by-row derivation is faster."""
_MAX_CALENDARS = 256
_MAX_TERMS = 10_000
_MAX_TEXT = 200
_SECOND = 1_000_000


class _Compiled(NamedTuple):
    """A compiled calendar as arrays, with the formatter of its local times."""

    columns: CalendarArrays
    texts: LocalTexts


@dataclass(frozen=True, slots=True)
class _Shared:
    """A calendar that several lines share, with its compiled forms.

    `known_from` are the instants at which exceptions became known, ascending. `compiled` has an entry for each number
    of these instants that have passed (-1: all exceptions count): the calendar and its vectorised form, None if it has
    none.
    """

    source: CalendarSource
    known_from: Instants
    compiled: dict[int, tuple[Calendar, _Compiled | None]] = field(default_factory=dict)


class VectorizedAnswers:
    """Answers those of several lines that the vectorised derivation supports.

    Each calendar and each term is parsed once and then recognised by its JSON text.
    """

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._calendars: dict[bytes, _Shared] = {}
        self._terms: dict[bytes, ParsedTerm] = {}
        self._kinds: list[Term | None] = [None]

    def answers(self, lines: Sequence[bytes | None]) -> list[str | None]:
        """Return the answer to each line as JSON with a line feed, or None for a line that must be answered row by row.

        Raises StartError if a case names a calendar but the centre's folder cannot be read.
        """
        by_calendar: dict[bytes, list[tuple[int, Line]]] = {}
        for place, text in enumerate(lines):
            line = None if text is None else decode(text)
            if line is not None:
                by_calendar.setdefault(bytes(line.calendar), []).append((place, line))
        answers: list[str | None] = [None] * len(lines)
        for calendar, found in by_calendar.items():
            shared = self._shared(calendar) if len(found) >= MIN_ROWS else None
            if shared is not None:
                quotes = [(lines[place] or b"").replace(calendar, b"", 1).count(b'"') for place, _ in found]
                table = table_of([line for _, line in found], quotes, self._term)
                for row, answer in self._answers(table, shared):
                    place, line = found[row]
                    name = quoted(line.id) if isinstance(line.id, str) else line.id
                    answers[place] = f'{{"id":{name},{answer}}}\n'
        return answers

    def _shared(self, text: bytes) -> _Shared | None:
        """Return the calendar with that JSON text, parsed once; None if it has an error. Raises StartError."""
        found = self._calendars.get(text)
        if found is None:
            try:
                source = self._cases.source(members.parse(text.decode()))
            except (CaseError, UnicodeDecodeError):
                return None
            if len(self._calendars) >= _MAX_CALENDARS:
                self._calendars.clear()
            self._calendars[text] = found = _Shared(source, instants(source.known_from))
        return found

    def _term(self, raw: msgspec.Raw) -> ParsedTerm:
        text = bytes(raw)
        found = self._terms.get(text)
        if found is None:
            found = self._read_term(text)
            if len(text) <= _MAX_TEXT:
                if len(self._terms) >= _MAX_TERMS:
                    self._terms.clear()
                self._terms[text] = found
        return found

    def _read_term(self, text: bytes) -> ParsedTerm:
        """Parse the JSON text of a term. If it has an error or is not supported, the kind is UNSUPPORTED_TERM."""
        try:
            term = self._cases.term(members.parse(text.decode()))
        except (CaseError, UnicodeDecodeError):
            return ParsedTerm(UNSUPPORTED_TERM, 0, 0)
        quotes = text.count(b'"')
        if term is None:
            return ParsedTerm(NO_TERM, 0, quotes)
        kind = replace(term, value=min(term.value, 1))
        if term.value > MAX_VALUE or (kind not in self._kinds and len(self._kinds) >= _MAX_TERMS):
            return ParsedTerm(UNSUPPORTED_TERM, 0, quotes)
        if kind not in self._kinds:
            self._kinds.append(kind)
        return ParsedTerm(self._kinds.index(kind), term.value, quotes)

    def _answers(self, table: Table, shared: _Shared) -> Iterator[tuple[int, str]]:
        """Yield the row and the answer, without its id, of each case that can be derived vectorised.

        Cases are derived in groups that share the kind of term and the exceptions known. Groups of fewer than MIN_ROWS
        cases are left out.
        """
        known = np.searchsorted(shared.known_from, table.known_at, side="right")
        known[table.known_at == NO_END] = -1
        group = np.where(table.supported, (known + 1) * len(self._kinds) + table.kind, -1)
        rows = np.argsort(group, kind="stable")
        for of in np.split(rows, np.flatnonzero(np.diff(group[rows])) + 1):
            if len(of) >= MIN_ROWS and group[of[0]] >= 0:
                compiled = _compile(shared, int(known[of[0]]), table.known_at[of[0]], table.received_at[of])
                if compiled is not None:
                    yield from _answers(of, table, self._kinds[table.kind[of[0]]], compiled)


def _compile(shared: _Shared, known: int, known_at: int, received_at: Instants) -> _Compiled | None:
    """Return the calendar as known at `known_at`, vectorised for these receipts; None if it has no vectorised form.

    `known` is the number of instants in `shared.known_from` until `known_at`, or -1: then all exceptions count.
    """
    try:
        at = None if known < 0 else moment(known_at)
        for receipt in (received_at.min(), received_at.max()):
            calendar = shared.source.calendar(at, moment(receipt))
    except OverflowError:
        return None
    before, compiled = shared.compiled.get(known, (None, None))
    if before is not calendar:
        try:
            columns = CalendarArrays(calendar)
            compiled = _Compiled(columns, LocalTexts(calendar, columns))
        except ValueError:
            compiled = None
        shared.compiled[known] = calendar, compiled
    return compiled


def _answers(of: Whole, table: Table, term: Term | None, compiled: _Compiled) -> Iterator[tuple[int, str]]:
    """Derive the cases in the rows `of`, which share a term (but its value) and a calendar.

    Yields row and answer, without its id, of each case that the vectorised derivation covers.
    """
    received_at, columns = table.received_at[of], compiled.columns
    if term is None:
        found = derive_vectorized(_ANY, received_at, (), columns)
    else:
        place = np.full(len(table.supported), -1, dtype=np.int64)
        place[of] = np.arange(len(of))
        found = derive_vectorized(
            term,
            received_at,
            list(_rounds(table, place)),
            columns,
            values=table.value[of],
        )
    (starts, valid), (dues, due_valid) = compiled.texts(found.counted_from), compiled.texts(found.due_at)
    valid &= ~found.not_covered & (due_valid | found.paused)
    if term is not None and term.cut_off is not None:  # in a repeated hour, local time is ambiguous
        valid &= compiled.texts.has_fixed_offset(received_at)
    left = found.left // _SECOND
    values = (of, valid, starts, dues, found.paused, left, table.open_pause[of])
    for row, is_valid, start, due_at, paused, seconds, open_pause in zip(*(e.tolist() for e in values), strict=True):
        if not is_valid:
            continue
        if term is None:
            members_of_answer = '"due_at":null,"state":"no_term"'
        elif paused:
            members_of_answer = f'"due_at":null,"remaining_seconds":{seconds},"state":"paused"'
        elif open_pause:
            members_of_answer = f'"due_at":"{due_at}","remaining_seconds":0,"state":"paused"'
        else:
            members_of_answer = f'"due_at":"{due_at}","state":"running"'
        yield row, f'"counted_from":"{start}",{members_of_answer}'


def _rounds(table: Table, place: Whole) -> Iterator[PauseRound | ExtensionRound]:
    """Yield the pauses and extensions of the rows of one group by rank: all of rank 0, then all of rank 1, and so on.

    `place` has each row's index in the group, or -1 for a row outside the group.
    """
    found = []
    for entries, ranks in ((table.pauses, table.pause_rank), (table.extensions, table.extension_rank)):
        here = place[entries.of] >= 0
        found.append((ranks[here], [place[entries.of[here]], *(column[here] for column in entries[1:])], type(entries)))
    for rank in range(max(ranks.max(initial=-1) for ranks, _, _ in found) + 1):
        for ranks, columns, kind in found:
            now = ranks == rank
            if now.any():
                yield kind(*(column[now] for column in columns))
