"""`/clock`, the same in every service: where the centre's time stands, and setting it on a centre that is played."""

import ipaddress
from datetime import datetime
from typing import Literal

import asyncpg
import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, model_validator

from shared.contracts.envelope import Instant
from shared.kernel.clock import Clock
from shared.kernel.errors import ExpectedError
from shared.postgres.clock import SetClock, look
from shared.service.http import Body
from shared.service.keys import require

CLOCK_SET = "clock_set"

log = structlog.get_logger(__name__)


class NewClock(Body):
    """Where the clock shall stand, and up to when acts may be dated, never before `now`."""

    now: AwareDatetime
    accept_until: AwareDatetime

    @model_validator(mode="after")
    def _in_order(self) -> "NewClock":
        if self.accept_until < self.now:
            raise ValueError("accept_until is not before now")
        return self


class ClockView(BaseModel):
    """The centre's time; on a centre that lives in the present acts are accepted up to `now`."""

    kind: Literal["real", "set"]
    now: Instant
    accept_until: Instant


def clock_routes(clock: Clock, pool: asyncpg.Pool) -> APIRouter:
    """The routes of one process. What is put is committed before it is answered, for every replica."""
    routes = APIRouter(dependencies=[Depends(_from_this_machine), Depends(require("ops", "importer"))])

    @routes.get("/clock")
    async def read_clock() -> ClockView:
        """Where the centre's time stands."""
        await look(clock, pool)
        return _view(clock)

    @routes.put("/clock")
    async def put_clock(given: NewClock) -> ClockView:
        """Set the time of a centre that is played; an earlier value changes nothing. Answers where it then stands."""
        if not isinstance(clock, SetClock):
            raise ExpectedError("clock-is-real", "this centre lives in the present: nobody sets its time")
        before = clock.standing
        await clock.put(pool, now=given.now, accept_until=given.accept_until)
        if clock.standing != before:
            log.info(CLOCK_SET, now=_z(clock.now()), accept_until=_z(clock.accepts_until()))
        return _view(clock)

    return routes


def _view(clock: Clock) -> ClockView:
    now = clock.now()
    until = clock.accepts_until() if clock.is_set else now
    return ClockView(kind="set" if clock.is_set else "real", now=now, accept_until=until)


async def _from_this_machine(request: Request) -> None:
    host = request.client.host if request.client else ""
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = False
    if not near:
        raise ExpectedError("forbidden", "the clock is read and set from the service's own machine alone", status=403)


def _z(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
