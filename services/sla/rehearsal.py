"""A proposal tried on the open clocks as they stand, page by page, while the process goes on consuming."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import cached_property
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from services.sla import store
from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import derive_by_catalogue
from services.sla.domain.rehearsal import Compared, Tally
from services.sla.many import EPOCH, MICROSECOND, NO_END, Columns, Instants, Round, derive_many, instants
from shared.kernel.centre import Centre, Procedure

PAGE = 200
"""Clocks derived at a time: some ten milliseconds in which the process does nothing else."""
_LOOKED_AT = 10_000
COLUMN = 20_000
"""Clocks derived at a time by columns: some ten milliseconds, too."""
NO_DUE = int(np.iinfo(np.int64).min)
"""Stands in a column of instants where there is no due date."""


class Rehearsal:
    """One proposed calendar against the clocks that were derived by the calendar's present `version`.

    Nothing is kept: each answer is of the clocks as they stand while it is counted. A clock that the sweep of this
    version has not reached yet is left out.
    """

    def __init__(self, pool: asyncpg.Pool, centre: Centre, proposed: Calendar, *, version: int, now: datetime) -> None:
        self._pool = pool
        self._centre = centre
        self._proposed = proposed
        self._version = version
        self._now = now

    @cached_property
    def _columns(self) -> Columns | None:
        """Made where totals are asked for (some 20 ms); None for a calendar with a year without work."""
        try:
            return Columns(self._proposed)
        except ValueError:
            return None

    async def totals(self, department: str | None = None) -> dict[str | None, Tally]:
        """By department, or of one alone. Reads every open clock: by columns those that were received, paused and
        resumed and no more, which are most, and some 40 µs of work for each of the others."""
        found: dict[str | None, Tally] = {}
        if self._columns is not None:
            await self._count_by_columns(found, department, self._columns)
        async for page in self._pages(department, None, beyond_pauses=self._columns is not None):
            for clock in page:
                due_date = None if clock.before is None else self._proposed.worktime.local_date(clock.before)
                found.setdefault(clock.department, Tally()).count(clock, due_date, self._now)
        return found

    async def moves(
        self, department: str | None, *, after: UUID | None, limit: int
    ) -> tuple[list[Compared], UUID | None]:
        """At most `limit` clocks whose due date moves, in key order, and where to go on; None at the end.

        Looks at ten thousand clocks at most, so a page may be short, even empty, with more to come.
        """
        moves: list[Compared] = []
        looked_at = 0
        async for page in self._pages(department, after):
            for clock in page:
                if clock.how != "unmoved":
                    moves.append(clock)
                if len(moves) == limit:
                    return moves, clock.dossier_id
            looked_at += len(page)
            if looked_at >= _LOOKED_AT:
                return moves, page[-1].dossier_id
        return moves, None

    async def _count_by_columns(self, found: dict[str | None, Tally], department: str | None, columns: Columns) -> None:
        after: UUID | None = None
        while records := await store.in_columns(
            self._pool, self._version, department=department, after=after, limit=COLUMN, no_due=NO_DUE
        ):
            for record in records:
                received, before = (np.array(record[name], dtype=np.int64) for name in ("received", "due"))
                rows = self._centre.procedures.get(record["procedure"], ())
                due = _due(received, rounds_of(record["changes"]), rows, columns)
                found.setdefault(record["department"], Tally()).add(self._tally(before, due, columns))
            after = max(UUID(record["last"]) for record in records)
            await asyncio.sleep(0)

    def _tally(self, before: Instants, after: Instants, columns: Columns) -> Tally:
        """What becomes of due dates by columns; NO_DUE, where there is none, is earlier than every other instant."""
        now = int(instants([self._now])[0])
        has, had, moved = after != NO_DUE, before != NO_DUE, before != after
        days = columns.day(before[moved & had])
        return Tally(
            open=len(before),
            unmoved=int(np.count_nonzero(~moved)),
            later=int(np.count_nonzero(had & (after > before))),
            earlier=int(np.count_nonzero(has & (after < before))),
            gained=int(np.count_nonzero(has & ~had)),
            lost=int(np.count_nonzero(had & ~has)),
            past=int(np.count_nonzero(has & (after < now) & (~had | (before >= now)))),
            first_moved=columns.date_of(int(days.min())) if len(days) else None,
            last_moved=columns.date_of(int(days.max())) if len(days) else None,
        )

    async def _pages(
        self, department: str | None, after: UUID | None, *, beyond_pauses: bool = False
    ) -> AsyncIterator[list[Compared]]:
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

    def _compared(self, record: asyncpg.Record) -> Compared:
        changes = store.changes_of(from_json(record["changes"]))
        found = derive_by_catalogue(record["procedure"], changes, self._centre, self._proposed)
        return Compared(record["dossier_id"], record["code"], record["department"], record["due_at"], found.due_at)


def _due(received: Instants, rounds: Sequence[Round], rows: Sequence[Procedure], columns: Columns) -> Instants:
    """The due dates of clocks of one procedure, each by the term in force on the local date of its receipt."""
    due = np.full(len(received), NO_DUE, dtype=np.int64)
    day = columns.day(received)
    for row in rows:
        if row.term is None:
            continue
        until = columns.number(row.valid_to) if row.valid_to else np.iinfo(np.int64).max
        within = (columns.number(row.valid_from) <= day) & (day <= until)
        (of,) = np.nonzero(within)
        place = np.cumsum(within) - 1
        derived = derive_many(row.term, received[of], [_among(each, within, place) for each in rounds], columns)
        due[of] = np.where(derived.left_out | derived.paused, NO_DUE, derived.due_at)
    return due


def _among(pauses: Round, within: NDArray[np.bool_], place: NDArray[np.int64]) -> Round:
    """Those pauses whose clocks are `within`, at their new places."""
    here = within[pauses.of]
    return Round(place[pauses.of[here]], pauses.start[here], pauses.end[here])


def rounds_of(changes: Sequence[str | None]) -> list[Round]:
    """The pauses of clocks by rounds, from their changes as JSON (None: a clock without one). Touching pauses are
    one."""
    rounds: list[tuple[list[int], list[int], list[int]]] = []
    for place, text in enumerate(changes):
        if text is None:
            continue
        happened = sorted(
            (_instant(change["at"]), number, change["what"]) for number, change in enumerate(from_json(text))
        )
        pauses: list[list[int]] = []
        for at, _, what in happened:
            if what == "resumed":
                pauses[-1][1] = at
            elif what == "paused" and pauses and pauses[-1][1] == at:
                pauses[-1][1] = NO_END
            elif what == "paused":
                pauses.append([at, NO_END])
        for number, (start, end) in enumerate(pauses):
            if number == len(rounds):
                rounds.append(([], [], []))
            for column, value in zip(rounds[number], (place, start, end), strict=True):
                column.append(value)
    return [Round(*(np.array(column, dtype=np.int64) for column in columns)) for columns in rounds]


def _instant(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND
