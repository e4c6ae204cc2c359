"""Vectorised derivation of many cases: the same answers as row by row, many times faster.

It supports cases that share their calendar with others, have the standard forms, and are due within the calendar's
span. All other cases, including every case with an error, are left to the row-by-row derivation (motcua.due.cases).
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
    """A compiled calendar in vectorised form: as arrays, and as formatter of its local times."""

    columns: CalendarArrays
    texts: LocalTexts


@dataclass(frozen=True, slots=True)
class _Shared:
    """A calendar that several lines share, with a cache of its compiled forms.

    The key of `compiled` is the number of instants in `known_from` that have passed (-1: all changes count). The value
    is the compiled calendar and its vectorised form, which is None if the calendar cannot have one.
    """

    source: CalendarSource
    known_from: Instants
    compiled: dict[int, tuple[Calendar, _Compiled | None]] = field(default_factory=dict)


class VectorizedAnswers:
    """Answers the supported cases among lines. Calendars and terms are cached by their JSON texts."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._calendars: dict[bytes, _Shared] = {}
        self._terms: dict[bytes, ParsedTerm] = {}
        self._kinds: list[Term | None] = [None]

    def answers(self, lines: Sequence[bytes | None]) -> list[str | None]:
        """Return for each line its JSON answer with a line feed, or None if it is not supported. Raises StartError."""
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
        """Return the calendar with this JSON text, from the cache if possible; None if invalid. Raises StartError."""
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
        """Parse the JSON text of a term. The kind is UNSUPPORTED_TERM if it is invalid or not supported."""
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
        """Derive the supported cases of a table. Yield the row and the answer of each, as JSON without id and braces.

        They are derived in groups with the same kind of term and the same known calendar changes; groups with fewer
        than MIN_ROWS cases are left out.
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
    """Return the vectorised calendar with the changes known at `known_at`, from the cache if possible.

    `known` is its key in the cache; -1 means all changes. An inline calendar covers the time after all receipts. None
    if it cannot be vectorised.
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
    """Derive the cases in the rows `of`, which have the same kind of term and calendar; `term` has only the kind.

    Yield the row and the answer of each, as JSON without id and braces. Cases that cannot be derived or formatted here
    are left out.
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
    """Yield the pauses and extensions of rank 0, then of rank 1 and so on, of the rows in a group.

    `place` has each row's index in the group, or -1 if it is not in the group; the yielded `of` are such indices.
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
