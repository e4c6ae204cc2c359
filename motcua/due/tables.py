"""Cases that share one calendar as a table with one row per case, for the vectorised derivation.

A row that is not `supported` has an error, or a form that only the row-by-row derivation (motcua.due.cases) covers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from motcua.due.times import UNREADABLE, parse_instants
from services.sla.vectorized import NO_END, ExtensionRound, Instants, PauseRound

MAX_VALUE = 1_000_000
"""Longest term and extension, which the vectorised form counts without overflow."""

NO_TERM, UNSUPPORTED_TERM = 0, -1
"""Term kinds: no term, and a term that the vectorised form does not support."""

_MAX_ENTRIES = 8
"""Most pauses and extensions of a supported case; with more, the row-by-row derivation is faster."""

Whole = NDArray[np.int64]


class _Pause(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    start: str = msgspec.field(name="from")
    to: str | None = None
    recorded_at: str | None = None


class _Extension(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    at: str
    working_days: int


class Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A decoded line, not validated. Calendar and term stay undecoded JSON text, since many lines have the same one."""

    id: int | str
    calendar: msgspec.Raw
    term: msgspec.Raw
    received_at: str
    pauses: list[_Pause] | None = None
    extensions: list[_Extension] | None = None
    as_known_at: str | None = None


class ParsedTerm(NamedTuple):
    """A parsed term of a case.

    `kind` numbers its unit, way of counting and cut-off, or is NO_TERM or UNSUPPORTED_TERM; `value` is its length.
    `quotes` is the number of quotation marks in its JSON text.
    """

    kind: int
    value: int
    quotes: int


@dataclass(frozen=True, slots=True)
class Table:
    """Cases as columns. Where a row is not `supported`, its values in the other columns are undefined.

    `known_at` is NO_END for a case without `as_known_at`. `pauses` and `extensions` are all entries of all rows that
    were known at `known_at`; their `of` is the row of each entry. `pause_rank` and `extension_rank` number the entries
    of a row, pauses and extensions together, in order of time from 0. `open_pause`: the last pause of the row has no
    known end.
    """

    supported: NDArray[np.bool_]
    kind: Whole
    value: Whole
    received_at: Instants
    known_at: Instants
    pauses: PauseRound
    pause_rank: Whole
    extensions: ExtensionRound
    extension_rank: Whole
    open_pause: NDArray[np.bool_]


def decode(line: bytes) -> Line | None:
    """Decode a line. Return None if it is not JSON, or does not have the types of `Line`."""
    try:
        return _decode(line)
    except (ValueError, RecursionError):
        return None


_decode = msgspec.json.Decoder(Line).decode


def table_of(lines: Sequence[Line], quotes: Sequence[int], term_of: Callable[[msgspec.Raw], ParsedTerm]) -> Table:
    """Convert decoded lines to a table, one row per line; a row that fails a check is marked as not supported.

    `quotes` is the number of quotation marks in each line, without those of its calendar. If it equals the number that
    the decoded members need, no member occurs twice (the decoder would take the last one), and no optional member is
    null. `term_of` parses the JSON text of a term.
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
        if len(line.pauses or ()) + len(line.extensions or ()) > _MAX_ENTRIES:
            kind = UNSUPPORTED_TERM
        kinds.append(kind)
        values.append(value)
        expected.append(taken)
    received_at = parse_instants([line.received_at for line in lines])
    known_at = np.full(len(lines), NO_END, dtype=np.int64)
    known_at[known_of] = parse_instants([lines[row].as_known_at or "" for row in known_of])
    supported = (
        (np.array(kinds) >= 0)
        & (np.array(expected) == quotes)
        & (received_at != UNREADABLE)
        & (known_at >= received_at)
    )
    paused = _pauses(pauses, received_at, known_at, supported)
    extended = _extensions(extensions, received_at, known_at, supported)
    rank = _ranks(paused, extended, supported)
    supported[[row for row, _ in extensions if kinds[row] == NO_TERM]] = False
    open_pause = np.zeros(len(lines), dtype=np.bool_)
    open_pause[paused.of[paused.end == NO_END]] = True
    return Table(
        supported=supported,
        kind=np.array(kinds, dtype=np.int64),
        value=np.array(values, dtype=np.int64),
        received_at=received_at,
        known_at=known_at,
        pauses=paused,
        pause_rank=rank[: len(paused.of)],
        extensions=extended,
        extension_rank=rank[len(paused.of) :],
        open_pause=open_pause,
    )


def _pauses(
    found: Sequence[tuple[int, _Pause]], received_at: Instants, known_at: Instants, supported: NDArray[np.bool_]
) -> PauseRound:
    """Return the pauses that were known at `known_at` of their row, by row and in order of time.

    `found` are pairs of row and pause. An end after `known_at` becomes NO_END.

    Sets `supported` to false for rows in which a pause has an error or begins before the previous one has ended, or at
    its end.
    """
    of = _rows(found)
    start = parse_instants([pause.start for _, pause in found])
    end = _where_present([pause.to for _, pause in found], np.full(len(found), NO_END))
    recorded_at = _where_present([pause.recorded_at for _, pause in found], start)
    supported[of[(start < received_at[of]) | (end < start) | (recorded_at == UNREADABLE)]] = False
    order = np.lexsort((end, start, of))
    of, start, end, recorded_at = of[order], start[order], end[order], recorded_at[order]
    supported[of[1:][(of[1:] == of[:-1]) & (start[1:] <= end[:-1])]] = False
    known = np.maximum(start, recorded_at) <= known_at[of]
    end = np.where(end > known_at[of], NO_END, end)
    return PauseRound(of[known], start[known], end[known])


def _extensions(
    found: Sequence[tuple[int, _Extension]], received_at: Instants, known_at: Instants, supported: NDArray[np.bool_]
) -> ExtensionRound:
    """Return the extensions that were known at `known_at` of their row, in the given order.

    `found` are pairs of row and extension.

    Sets `supported` to false for rows in which an extension has an error or more than MAX_VALUE days.
    """
    of = _rows(found)
    at = parse_instants([extension.at for _, extension in found])
    supported[[row for row, extension in found if not 0 < extension.working_days <= MAX_VALUE]] = False
    supported[of[at < received_at[of]]] = False
    days = np.array([min(extension.working_days, MAX_VALUE) for _, extension in found], dtype=np.int64)
    known = at <= known_at[of]
    return ExtensionRound(of[known], at[known], days[known])


def _ranks(pauses: PauseRound, extensions: ExtensionRound, supported: NDArray[np.bool_]) -> Whole:
    """Return the place of each pause, then of each extension, in its row's order of time, from 0.

    Sets `supported` to false for rows in which an extension happened during a pause.
    """
    of = np.concatenate((pauses.of, extensions.of))
    start = np.concatenate((pauses.start, extensions.at))
    end = np.concatenate((pauses.end, extensions.at))
    order = np.lexsort((np.arange(len(of)), start, of))
    of, start, end = of[order], start[order], end[order]
    supported[of[1:][(of[1:] == of[:-1]) & (start[1:] < end[:-1])]] = False
    rank = np.empty_like(order)
    rank[order] = np.arange(len(of)) - np.searchsorted(of, of)
    return rank


def _rows(found: Sequence[tuple[int, object]]) -> Whole:
    return np.array([row for row, _ in found], dtype=np.int64)


def _where_present(texts: Sequence[str | None], otherwise: Instants) -> Instants:
    """Parse texts to instants, as `parse_instants` does; where a text is None, take the instant in `otherwise`."""
    present = [place for place, text in enumerate(texts) if text is not None]
    found = otherwise.copy()
    found[present] = parse_instants([text for text in texts if text is not None])
    return found
