"""A rehearsal: the effect of a proposed calendar on the open clocks, counted page by page between other work."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import cached_property
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from services.sla.calendars import store
from services.sla.clocks.store import changes_of
from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import derive_by_catalogue
from services.sla.domain.rehearsal import ComparedClock, Tally
from services.sla.vectorized import (
    EPOCH,
    MICROSECOND,
    NO_END,
    CalendarArrays,
    Instants,
    PauseRound,
    derive_vectorized,
    instants,
)
from shared.kernel.centre import Centre, Procedure

PAGE = 200
"""Clocks derived row by row at a time: some ten milliseconds during which the process does no other work."""
_MOST_EXAMINED = 10_000
ARRAY = 20_000
"""Clocks derived vectorised at a time: some ten milliseconds, too."""
NO_DUE = int(np.iinfo(np.int64).min)
"""In an array of instants: no due date."""


class Rehearsal:
    """Compares the due dates of all open clocks by a proposed calendar with those by the present calendar, `version`.

    Stores nothing: each call derives the clocks again from their present changes. Clocks that were not derived by
    `version` yet are left out.
    """

    def __init__(self, pool: asyncpg.Pool, centre: Centre, proposed: Calendar, *, version: int, now: datetime) -> None:
        self._pool = pool
        self._centre = centre
        self._proposed = proposed
        self._version = version
        self._now = now

    @cached_property
    def _arrays(self) -> CalendarArrays | None:
        """The proposed calendar as arrays, built at the first use (some 20 ms); None if it cannot be vectorised."""
        try:
            return CalendarArrays(self._proposed)
        except ValueError:
            return None

    async def totals(self, department: str | None = None) -> dict[str | None, Tally]:
        """Return, by department, how many open clocks the proposed calendar affects in which way.

        `department` None counts all departments; the key None has the clocks without a department. Reads every open
        clock. Clocks with no other changes than the receipt and pauses, which are most, are derived vectorised; each
        other clock takes some 40 µs.
        """
        found: dict[str | None, Tally] = {}
        if self._arrays is not None:
            await self._count_vectorized(found, department, self._arrays)
        async for page in self._pages(department, None, beyond_pauses=self._arrays is not None):
            for clock in page:
                due_date = None if clock.before is None else self._proposed.worktime.local_date(clock.before)
                found.setdefault(clock.department, Tally()).count(clock, due_date, self._now)
        return found

    async def moves(
        self, department: str | None, *, after: UUID | None, limit: int
    ) -> tuple[list[ComparedClock], UUID | None]:
        """Return at most `limit` clocks whose due date moves, in key order, and the key to continue after (None: end).

        `department` None means all departments, `after` None the start. Examines at most ten thousand clocks, so a page
        may be short, even empty, although there are more.
        """
        moves: list[ComparedClock] = []
        examined = 0
        async for page in self._pages(department, after):
            for clock in page:
                if clock.effect != "unmoved":
                    moves.append(clock)
                if len(moves) == limit:
                    return moves, clock.dossier_id
            examined += len(page)
            if examined >= _MOST_EXAMINED:
                return moves, page[-1].dossier_id
        return moves, None

    async def _count_vectorized(
        self, found: dict[str | None, Tally], department: str | None, arrays: CalendarArrays
    ) -> None:
        after: UUID | None = None
        while records := await store.open_clock_arrays(
            self._pool, self._version, department=department, after=after, limit=ARRAY, no_due=NO_DUE
        ):
            for record in records:
                received, before = (np.array(record[name], dtype=np.int64) for name in ("received", "due"))
                rows = self._centre.procedures.get(record["procedure"], ())
                due = _due(received, rounds_of(record["changes"]), rows, arrays)
                found.setdefault(record["department"], Tally()).add(self._tally(before, due, arrays))
            after = max(UUID(record["last"]) for record in records)
            await asyncio.sleep(0)

    def _tally(self, before: Instants, after: Instants, arrays: CalendarArrays) -> Tally:
        """Count clocks by the effect on their due dates, given as arrays `before` and `after` (NO_DUE: no due date).

        NO_DUE is less than every instant.
        """
        now = int(instants([self._now])[0])
        has, had, moved = after != NO_DUE, before != NO_DUE, before != after
        days = arrays.day(before[moved & had])
        return Tally(
            open=len(before),
            unmoved=int(np.count_nonzero(~moved)),
            later=int(np.count_nonzero(had & (after > before))),
            earlier=int(np.count_nonzero(has & (after < before))),
            gained=int(np.count_nonzero(has & ~had)),
            lost=int(np.count_nonzero(had & ~has)),
            past=int(np.count_nonzero(has & (after < now) & (~had | (before >= now)))),
            first_moved=arrays.date_of(int(days.min())) if len(days) else None,
            last_moved=arrays.date_of(int(days.max())) if len(days) else None,
        )

    async def _pages(
        self, department: str | None, after: UUID | None, *, beyond_pauses: bool = False
    ) -> AsyncIterator[list[ComparedClock]]:
        while records := await store.open_clocks(
            self._pool,
            self._version,
            department=department,
            after=after,
            limit=PAGE,
            beyond_pauses=beyond_pauses,
        ):
            yield [self._compared(record) for record in records]
            after = records[-1]["dossier_id"]

    def _compared(self, record: asyncpg.Record) -> ComparedClock:
        changes = changes_of(from_json(record["changes"]))
        found = derive_by_catalogue(record["procedure"], changes, self._centre, self._proposed)
        return ComparedClock(record["dossier_id"], record["code"], record["department"], record["due_at"], found.due_at)


def _due(
    received: Instants, rounds: Sequence[PauseRound], rows: Sequence[Procedure], arrays: CalendarArrays
) -> Instants:
    """Derive the due dates of clocks of one procedure, each by the term in force on the local date of its receipt.

    `rows` are the procedure's rows in the catalogue. The result is NO_DUE for a clock that is paused, has no term, or
    is due after the end of the calendar.
    """
    due = np.full(len(received), NO_DUE, dtype=np.int64)
    day = arrays.day(received)
    for row in rows:
        if row.term is None:
            continue
        until = arrays.day_number(row.valid_to) if row.valid_to else np.iinfo(np.int64).max
        within = (arrays.day_number(row.valid_from) <= day) & (day <= until)
        (of,) = np.nonzero(within)
        place = np.cumsum(within) - 1
        derived = derive_vectorized(row.term, received[of], [_among(each, within, place) for each in rounds], arrays)
        due[of] = np.where(derived.not_covered | derived.paused, NO_DUE, derived.due_at)
    return due


def _among(pauses: PauseRound, within: NDArray[np.bool_], place: NDArray[np.int64]) -> PauseRound:
    """Select the pauses of those clocks for which `within` is true; `place` has the new index of each such clock."""
    here = within[pauses.of]
    return PauseRound(place[pauses.of[here]], pauses.start[here], pauses.end[here])


def rounds_of(changes: Sequence[str | None]) -> list[PauseRound]:
    """Convert the changes of clocks to pause rounds: round n has the n-th pause of each clock.

    The changes of each clock are JSON text, or None for a clock that was never paused. A clock's place in the rounds is
    its index in `changes`. Adjacent pauses of a clock are joined.
    """
    rounds: list[tuple[list[int], list[int], list[int]]] = []
    for place, text in enumerate(changes):
        if text is None:
            continue
        ordered = sorted(
            (_instant(change["at"]), number, change["kind"]) for number, change in enumerate(from_json(text))
        )
        pauses: list[list[int]] = []
        for at, _, kind in ordered:
            if kind == "resumed":
                pauses[-1][1] = at
            elif kind == "paused" and pauses and pauses[-1][1] == at:
                pauses[-1][1] = NO_END
            elif kind == "paused":
                pauses.append([at, NO_END])
        for number, (start, end) in enumerate(pauses):
            if number == len(rounds):
                rounds.append(([], [], []))
            for column, value in zip(rounds[number], (place, start, end), strict=True):
                column.append(value)
    return [PauseRound(*(np.array(column, dtype=np.int64) for column in columns)) for columns in rounds]


def _instant(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND
