"""Cases of one calendar as a table, a row each: read from lines of the grammar in their usual forms.

A row that is not plain is in error, or of a form that columns do not cover: motcua.due.cases says which.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from motcua.due.times import UNREAD, read
from services.sla.vectorized import NO_END, ExtensionRound, Instants, PauseRound

MOST = 1_000_000
"""The longest term and extension that columns count without running over."""

NO_TERM, NO_PLAIN_TERM = 0, -1
"""Kinds of no term at all, and of one that columns do not count."""

_MOST_TURNS = 8
"""A case with more pauses and extensions is sooner derived step by step."""

Whole = NDArray[np.int64]


class _Pause(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    start: str = msgspec.field(name="from")
    to: str | None = None
    recorded_at: str | None = None


class _Extension(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    at: str
    working_days: int


class Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A case as its line has it. Calendars and terms stay texts: there are few of them, and many lines."""

    id: int | str
    calendar: msgspec.Raw
    term: msgspec.Raw
    received_at: str
    pauses: list[_Pause] | None = None
    extensions: list[_Extension] | None = None
    as_known_at: str | None = None


class PlainTerm(NamedTuple):
    """A term by the number of its kind, all of it but the value; `marks` are the quotation marks of its text."""

    kind: int
    value: int
    marks: int


@dataclass(frozen=True, slots=True)
class Table:
    """Cases by columns; meaningless where a row is not `plain`.

    `known_at` is NO_END where a case is asked as known in the end. Of pauses and extensions only those that were known
    are here, `of` naming the row; their turns count them in the order of time, from 0 in each row. The last pause of a
    row that `stands` has no end.
    """

    plain: NDArray[np.bool_]
    kind: Whole
    value: Whole
    received_at: Instants
    known_at: Instants
    pauses: PauseRound
    pause_turns: Whole
    extensions: ExtensionRound
    extension_turns: Whole
    stands: NDArray[np.bool_]


def decode(line: bytes) -> Line | None:
    """A line as a case; None where it is not of the usual form, or in error."""
    try:
        return _decode(line)
    except (ValueError, RecursionError):
        return None


_decode = msgspec.json.Decoder(Line).decode


def table_of(lines: Sequence[Line], marks: Sequence[int], term_of: Callable[[msgspec.Raw], PlainTerm]) -> Table:
    """The table of cases. `marks` are the quotation marks of each line, those of its calendar left out.

    When they are as many as the members and texts that were read take, no member stands twice (the decoder would have
    taken the last) and none is null that may be left out.
    """
    kinds, values, expected = [], [], []
    known_of: list[int] = []
    pauses: list[tuple[int, _Pause]] = []
    extensions: list[tuple[int, _Extension]] = []
    for row, line in enumerate(lines):
        kind, value, taken = term_of(line.term)
        taken += 10 if type(line.id) is int else 12
        if line.as_known_at is not None:
            taken += 4
            known_of.append(row)
        if line.pauses is not None:
            taken += 2
            for pause in line.pauses:
                taken += 4 + (4 if pause.to is not None else 0) + (4 if pause.recorded_at is not None else 0)
                pauses.append((row, pause))
        if line.extensions is not None:
            taken += 2 + 6 * len(line.extensions)
            extensions += [(row, extension) for extension in line.extensions]
        if len(line.pauses or ()) + len(line.extensions or ()) > _MOST_TURNS:
            kind = NO_PLAIN_TERM
        kinds.append(kind)
        values.append(value)
        expected.append(taken)
    received_at = read([line.received_at for line in lines])
    known_at = np.full(len(lines), NO_END, dtype=np.int64)
    known_at[known_of] = read([lines[row].as_known_at or "" for row in known_of])
    plain = (np.array(kinds) >= 0) & (np.array(expected) == marks) & (received_at != UNREAD) & (known_at >= received_at)
    paused = _pauses(pauses, received_at, known_at, plain)
    extended = _extensions(extensions, received_at, known_at, plain)
    turns = _turns(paused, extended, plain)
    plain[[row for row, _ in extensions if kinds[row] == NO_TERM]] = False
    stands = np.zeros(len(lines), dtype=np.bool_)
    stands[paused.of[paused.end == NO_END]] = True
    return Table(
        plain=plain,
        kind=np.array(kinds, dtype=np.int64),
        value=np.array(values, dtype=np.int64),
        received_at=received_at,
        known_at=known_at,
        pauses=paused,
        pause_turns=turns[: len(paused.of)],
        extensions=extended,
        extension_turns=turns[len(paused.of) :],
        stands=stands,
    )


def _pauses(
    found: Sequence[tuple[int, _Pause]], received_at: Instants, known_at: Instants, plain: NDArray[np.bool_]
) -> PauseRound:
    """Those that were known. A row is not plain if one is in error, or two touch."""
    of = _rows(found)
    start = read([pause.start for _, pause in found])
    end = _where_given([pause.to for _, pause in found], np.full(len(found), NO_END))
    recorded_at = _where_given([pause.recorded_at for _, pause in found], start)
    plain[of[(start < received_at[of]) | (end < start) | (recorded_at == UNREAD)]] = False
    order = np.lexsort((end, start, of))
    of, start, end, recorded_at = of[order], start[order], end[order], recorded_at[order]
    plain[of[1:][(of[1:] == of[:-1]) & (start[1:] <= end[:-1])]] = False
    known = np.maximum(start, recorded_at) <= known_at[of]
    end = np.where(end > known_at[of], NO_END, end)
    return PauseRound(of[known], start[known], end[known])


def _extensions(
    found: Sequence[tuple[int, _Extension]], received_at: Instants, known_at: Instants, plain: NDArray[np.bool_]
) -> ExtensionRound:
    """Those that were known. A row is not plain if one is in error, or too long."""
    of = _rows(found)
    at = read([extension.at for _, extension in found])
    plain[[row for row, extension in found if not 0 < extension.working_days <= MOST]] = False
    plain[of[at < received_at[of]]] = False
    days = np.array([min(extension.working_days, MOST) for _, extension in found], dtype=np.int64)
    known = at <= known_at[of]
    return ExtensionRound(of[known], at[known], days[known])


def _turns(pauses: PauseRound, extensions: ExtensionRound, plain: NDArray[np.bool_]) -> Whole:
    """The turns of pauses, then of extensions. A row is not plain if an extension comes in a pause."""
    of = np.concatenate((pauses.of, extensions.of))
    start = np.concatenate((pauses.start, extensions.at))
    end = np.concatenate((pauses.end, extensions.at))
    order = np.lexsort((np.arange(len(of)), start, of))
    of, start, end = of[order], start[order], end[order]
    plain[of[1:][(of[1:] == of[:-1]) & (start[1:] < end[:-1])]] = False
    turns = np.empty_like(order)
    turns[order] = np.arange(len(of)) - np.searchsorted(of, of)
    return turns


def _rows(found: Sequence[tuple[int, object]]) -> Whole:
    return np.array([row for row, _ in found], dtype=np.int64)


def _where_given(texts: Sequence[str | None], otherwise: Instants) -> Instants:
    """The instants of texts, and what stands for those that were left out."""
    given = [place for place, text in enumerate(texts) if text is not None]
    found = otherwise.copy()
    found[given] = read([text for text in texts if text is not None])
    return found
