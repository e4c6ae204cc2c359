"""The centre's clock over HTTP, the same in every service: read the time, and advance a simulated clock."""

import ipaddress
from datetime import datetime

import asyncpg
import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, model_validator

from shared.contracts.envelope import Instant
from shared.kernel.clock import Clock, ClockKind
from shared.kernel.errors import ClockNotSimulatedError, ForbiddenError
from shared.postgres.clock import SimulatedClock, refresh
from shared.service.http import Body
from shared.service.keys import require

CLOCK_ADVANCED = "clock_advanced"

log = structlog.get_logger(__name__)


class ClockAdvance(Body):
    """The time to which to advance the clock, and in `accept_until` the latest instant that an act may then have.

    `accept_until` is not before `now`.
    """

    now: AwareDatetime
    accept_until: AwareDatetime

    @model_validator(mode="after")
    def _in_order(self) -> "ClockAdvance":
        if self.accept_until < self.now:
            raise ValueError("accept_until must not be before now")
        return self


class ClockView(BaseModel):
    """The centre's time. With a system clock, acts are accepted up to `now`."""

    kind: ClockKind
    now: Instant
    accept_until: Instant


def clock_routes(clock: Clock, pool: asyncpg.Pool) -> APIRouter:
    """Return the routes that read and advance the clock, for roles ops and importer on the service's own machine.

    An advance is committed, and so visible to every replica, before it is answered.
    """
    routes = APIRouter(dependencies=[Depends(_require_local_client), Depends(require("ops", "importer"))])

    @routes.get("/clock")
    async def read_clock() -> ClockView:
        """Read the centre's time."""
        await refresh(clock, pool)
        return _view(clock)

    @routes.put("/clock")
    async def advance_clock(advance: ClockAdvance) -> ClockView:
        """Advance a simulated clock and return its time. An earlier value changes nothing."""
        if not isinstance(clock, SimulatedClock):
            raise ClockNotSimulatedError
        before = clock.reading
        await clock.advance(pool, now=advance.now, accept_until=advance.accept_until)
        if clock.reading != before:
            log.info(CLOCK_ADVANCED, now=_iso(clock.now()), accept_until=_iso(clock.accepts_until()))
        return _view(clock)

    return routes


def _view(clock: Clock) -> ClockView:
    now = clock.now()
    until = clock.accepts_until() if clock.is_simulated else now
    return ClockView(kind="simulated" if clock.is_simulated else "system", now=now, accept_until=until)


async def _require_local_client(request: Request) -> None:
    host = request.client.host if request.client else ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ForbiddenError("The clock can be read and advanced only from the service's own machine.")


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
