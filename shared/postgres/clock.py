"""A centre's clock as each service stores it: the kind, which never changes, and a simulated clock's time.

Each transaction that depends on a simulated clock reads the stored time again, so all replicas use the committed time.
The copy in memory only answers reads and is never later than the database.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from shared.kernel.clock import Clock, ClockKind
from shared.kernel.errors import StartError
from shared.postgres.periodic import Periodic
from shared.postgres.pool import Connection
from shared.runtime.clock import SystemClock

REFRESH_SECONDS = 0.5
CLOCK_NOT_READ = "clock_not_read"

_READ = "select kind, starts_at, now_at, accept_until from clock"


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A simulated clock as read: its first instant, its time, and the latest instant to which an act may be dated."""

    starts_at: datetime
    now: datetime
    accept_until: datetime


class SimulatedClock(Clock):
    """A clock that a client advances. Its answers are those of the last refresh, so they may be behind the database."""

    def __init__(self, reading: ClockReading) -> None:
        self.reading = reading

    @property
    def is_simulated(self) -> bool:
        """Always true."""
        return True

    def now(self) -> datetime:
        """The centre time as read by the last refresh."""
        return self.reading.now

    def accepts_until(self) -> datetime:
        """The latest instant to which an act may be dated, as read by the last refresh."""
        return self.reading.accept_until

    def recorded_from(self) -> datetime:
        """The earliest instant at which an event or threshold can be recorded: the clock's first instant."""
        return self.reading.starts_at

    def at_due(self, due: datetime) -> datetime:
        """The instant at which work that fell due at `due` is decided and recorded: `due` itself."""
        return due

    async def refresh(self, connection: "Connection | asyncpg.Pool") -> None:
        """Read the committed time from the database into memory. The time in memory never goes back."""
        found = await connection.fetchrow(_READ)
        assert found is not None, "the clock's row is never deleted"
        # an answer may arrive after a later one from another connection
        self.reading = max(
            self.reading,
            ClockReading(found["starts_at"], found["now_at"], found["accept_until"]),
            key=lambda one: (one.now, one.accept_until),
        )

    async def advance(self, pool: asyncpg.Pool, *, now: datetime, accept_until: datetime) -> None:
        """Store a later time and a later limit for the dates of acts, and refresh. Commits.

        A value earlier than the stored one changes nothing. `accept_until` is never before the time.
        """
        await pool.execute(
            "update clock set now_at = greatest(now_at, $1),"
            " accept_until = greatest(accept_until, $2, greatest(now_at, $1))",
            now,
            accept_until,
        )
        await self.refresh(pool)

    async def follow(self, pool: asyncpg.Pool) -> None:
        """Worker: refresh every REFRESH_SECONDS until cancelled, so that an idle process answers with a recent time."""

        async def step() -> float:
            await self.refresh(pool)
            return REFRESH_SECONDS

        await Periodic(step, failed=CLOCK_NOT_READ, retry_seconds=REFRESH_SECONDS).run()


async def refresh(clock: Clock, connection: "Connection | asyncpg.Pool") -> None:
    """Refresh a simulated clock from the database; a system clock needs no refresh, so nothing is done."""
    if isinstance(clock, SimulatedClock):
        await clock.refresh(connection)


async def open_clock(pool: asyncpg.Pool, schema: str, *, kind: ClockKind, starts_at: datetime | None) -> Clock:
    """Return the clock of the centre that owns the schema; at the first start, store it first and commit.

    An existing simulated clock keeps its time and ignores `starts_at`. Raises StartError if `kind` differs from the
    kind of the first start, and if a simulated clock has no `starts_at` at its first start.
    """
    stored = await pool.fetchrow(_READ)
    if stored is None:
        if kind == "simulated" and starts_at is None:
            raise StartError(
                f"A simulated clock needs its first instant at the first start: set "
                f"{schema.upper()}_CLOCK_STARTS_AT, for example to 2017-04-28T00:00:00+07:00."
            )
        await pool.execute(
            "insert into clock (kind, starts_at, now_at, accept_until) values ($1, $2, $2, $2) on conflict do nothing",
            kind,
            starts_at.astimezone(UTC) if starts_at and kind == "simulated" else None,
        )
        stored = await pool.fetchrow(_READ)  # another replica may have been faster
        assert stored is not None, "the clock's row is never deleted"
    if stored["kind"] != kind:
        raise StartError(
            f"Schema {schema} belongs to a centre with a {stored['kind']} clock, and the kind never changes: "
            f"set {schema.upper()}_CLOCK={stored['kind']}, or use an empty database."
        )
    if kind == "system":
        return SystemClock()
    return SimulatedClock(ClockReading(stored["starts_at"], stored["now_at"], stored["accept_until"]))
