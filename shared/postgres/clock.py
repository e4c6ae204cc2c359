"""A centre's clock as its service keeps it: of which kind it is for ever, and where a set one stands.

A set clock is read again in each transaction that judges by it, so that all replicas judge by what is committed; what
stands in memory only answers reads, and is never later than the database.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import asyncpg
import structlog

from shared.kernel.clock import Clock
from shared.kernel.errors import StartError
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from shared.postgres.pool import Connection
from shared.runtime.clock import SystemClock

Kind = Literal["real", "set"]

LOOK_SECONDS = 0.5
CLOCK_NOT_READ = "clock_not_read"

_READ = "select kind, starts_at, now_at, accept_until from clock"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a set clock stands, and up to when acts may be dated."""

    starts_at: datetime
    now: datetime
    accept_until: datetime


class SetClock(Clock):
    """A clock that somebody sets, as this process saw it last."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing

    @property
    def is_set(self) -> bool:
        """It is."""
        return True

    def now(self) -> datetime:
        """Where it stood when it was read last."""
        return self.standing.now

    def accepts_until(self) -> datetime:
        """What it accepted when it was read last."""
        return self.standing.accept_until

    def recorded_from(self) -> datetime:
        """The centre's first instant."""
        return self.standing.starts_at

    def at_due(self, due: datetime) -> datetime:
        """That instant itself."""
        return due

    async def look(self, connection: "Connection | asyncpg.Pool") -> None:
        """Read what is committed."""
        found = await connection.fetchrow(_READ)
        assert found is not None, "a clock is never taken away"
        # an answer may be overtaken by a later one on another connection
        self.standing = max(
            self.standing,
            Standing(found["starts_at"], found["now_at"], found["accept_until"]),
            key=lambda one: (one.now, one.accept_until),
        )

    async def put(self, pool: asyncpg.Pool, *, now: datetime, accept_until: datetime) -> None:
        """Set it, and read where it then stands: an earlier value of either changes nothing. Commits."""
        await pool.execute(
            "update clock set now_at = greatest(now_at, $1),"
            " accept_until = greatest(accept_until, $2, greatest(now_at, $1))",
            now,
            accept_until,
        )
        await self.look(pool)

    async def follow(self, pool: asyncpg.Pool) -> None:
        """Look now and then until cancelled, so that a process without work answers by a recent time, too."""
        while True:
            try:
                await self.look(pool)
            except CONNECTION_ERRORS as error:
                if not is_transient(error):
                    raise
                log.warning(CLOCK_NOT_READ, error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(LOOK_SECONDS)


async def look(clock: Clock, connection: "Connection | asyncpg.Pool") -> None:
    """Bring `clock` up to what is committed, where it is one that is kept; the present needs no look."""
    if isinstance(clock, SetClock):
        await clock.look(connection)


async def open_clock(pool: asyncpg.Pool, schema: str, *, kind: Kind, starts_at: datetime | None) -> Clock:
    """The clock of the centre whose schema this is, made at the first start. Commits.

    A set clock that was made before stands where it stood, whatever `starts_at` says. Raises StartError for another
    kind than that of the first start, and for a first start of a set clock without its instant.
    """
    kept = await pool.fetchrow(_READ)
    if kept is None:
        if kind == "set" and starts_at is None:
            raise StartError(
                f"a centre with a set clock is told at its first start when it begins: set "
                f"{schema.upper()}_CLOCK_STARTS_AT, such as 2017-04-28T00:00:00+07:00"
            )
        await pool.execute(
            "insert into clock (kind, starts_at, now_at, accept_until) values ($1, $2, $2, $2) on conflict do nothing",
            kind,
            starts_at.astimezone(UTC) if starts_at and kind == "set" else None,
        )
        kept = await pool.fetchrow(_READ)  # another replica may have been faster
        assert kept is not None, "a clock is never taken away"
    if kept["kind"] != kind:
        raise StartError(
            f"schema {schema} belongs to a centre whose clock is {kept['kind']} from its first start for ever; "
            f"{schema.upper()}_CLOCK={kind} would mix two kinds of time: start it as {kept['kind']}, or take a fresh "
            "database"
        )
    if kind == "real":
        return SystemClock()
    return SetClock(Standing(kept["starts_at"], kept["now_at"], kept["accept_until"]))
