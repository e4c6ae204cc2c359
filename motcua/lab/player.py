"""Plays acts of the past through a centre whose time is set: window by window, so that deadlines fire in their order.

What comes of it does not depend on the windows' length: a window ends only when the centre has come to rest, and what
falls due within it is judged at its own instant.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx

from motcua.local.database import SERVICES, VERIFY
from motcua.local.processes import Site
from motcua.local.quiescence import QuiescenceMonitor as Watched
from services.sla.domain.calendar import compile_calendar
from shared.kernel.centre import Centre
from shared.kernel.errors import MotcuaError
from shared.kernel.worktime import OutsideCalendarError, Worktime

_REST_SECONDS = 300.0
_LOOK_SECONDS = 0.05
_TRIES = 5
_PAUSE_SECONDS = 1.0

Act = Mapping[str, Any]
"""A line of `POST /acts:batch`, with its `occurred_at`."""


class PlayError(MotcuaError):
    """The acts cannot be played on; the message says why. What was played stays, and may be played again."""


@dataclass(frozen=True, slots=True)
class Window:
    """The acts after the end before up to and including this `end`."""

    end: datetime
    acts: list[Act]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An act that intake refused, and its problem."""

    key: str | None
    status: int
    problem: Mapping[str, Any]


@dataclass(slots=True)
class Played:
    """How far the play has come. Acts that were known already are answered like new ones, so they count, too."""

    until: datetime | None = None
    windows: int = 0
    acts: int = 0
    refusals: list[Refusal] = field(default_factory=list)


def windows(
    acts: Iterable[Act], start: datetime, following: Callable[[datetime], datetime], *, until: datetime | None = None
) -> Iterator[Window]:
    """Cut acts into windows that end where `following` says, the first one after `start`, the last one at `until`.

    A window without acts is joined to the next one. Raises PlayError for an act without an instant, out of order, or
    after `until`.
    """

    def after(end: datetime) -> datetime:
        found = following(end)
        return found if until is None else max(end, min(found, until))

    end, gathered, previous = after(start), list[Act](), None
    for number, act in enumerate(acts, 1):
        at = _instant(act, number)
        if previous is not None and at < previous:
            raise PlayError(f"act {number} is of {at.isoformat()}, before the act before it: sort them by time")
        if until is not None and at > until:
            raise PlayError(f"act {number} is of {at.isoformat()}, after the end of the play at {until.isoformat()}")
        previous = at
        if at > end and gathered:
            yield Window(end, gathered)
            gathered = []
        while at > end:
            end = after(end)
        gathered.append(act)
    if gathered:
        yield Window(end, gathered)
    if until is not None and until > end:
        yield Window(until, [])


def next_end(worktime: Worktime, length: timedelta, until: datetime | None, end: datetime) -> datetime:
    """The end after `end`; with less working time than that left in the calendar, `until`, where it is given."""
    try:
        return worktime.add(end, length)
    except OutsideCalendarError:
        if until is None:
            raise
        return until


def _instant(act: Act, number: int) -> datetime:
    try:
        at = datetime.fromisoformat(act["occurred_at"])
    except (KeyError, TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise PlayError(f"act {number} has no occurred_at with an offset, such as 2017-11-06T07:00:00+07:00")
    return at


async def play(
    acts: Iterable[Act],
    site: Site,
    centre: Centre,
    *,
    importer: str,
    ops: str,
    window: timedelta | None = None,
    until: datetime | None = None,
    progress: Callable[[Played], None] = lambda _: None,
    stop_asked: Callable[[], bool] = lambda: False,
) -> Played:
    """Play acts in time order, in windows of `window` working time (half a standard day), and the centre's time on to
    `until` where it is given. `importer` and `ops` are keys.

    Acts that were played before change nothing, so a play that broke off may begin anew. A refused act is listed, and
    later ones of its dossier in the same window are refused with it. `progress` is told after each window. Raises
    PlayError for acts that cannot be cut into windows or an intake that does not take them, NotQuiescentError for a
    centre that does not come to rest, and OutsideCalendarError beyond the centre's calendar.
    """
    calendar = compile_calendar(centre.calendar)
    length = window or calendar.standard_day / 2
    played = Played()
    watched = Watched(site.kafka, site.databases[VERIFY])
    async with httpx.AsyncClient(timeout=httpx.Timeout(10.0, read=300.0, write=300.0), trust_env=False) as http:
        stage = _Stage(http, site, importer, ops)
        try:
            now = await stage.now()
            for one in windows(acts, now, partial(next_end, calendar.worktime, length, until), until=until):
                if stop_asked():
                    break
                await stage.set_clocks(now, accept_until=max(now, one.end))
                played.refusals += await stage.send(one.acts)
                await watched.wait_until_quiescent(now=now, within_seconds=_REST_SECONDS, poll_seconds=_LOOK_SECONDS)
                now = max(now, one.end)
                await stage.set_clocks(now, accept_until=now)
                await watched.wait_until_quiescent(now=now, within_seconds=_REST_SECONDS, poll_seconds=_LOOK_SECONDS)
                played.until = now
                played.windows += 1
                played.acts += len(one.acts)
                progress(played)
        finally:
            await watched.close()
    return played


class _Stage:
    """The services' doors, as the player uses them."""

    def __init__(self, http: httpx.AsyncClient, site: Site, importer: str, ops: str) -> None:
        self._http = http
        self._site = site
        self._importer = {"Authorization": f"Bearer {importer}"}
        self._ops = {"Authorization": f"Bearer {ops}"}

    async def now(self) -> datetime:
        """Where the centre's time stands: in the service that is furthest behind, if a play broke off between two."""
        found = await asyncio.gather(*(self._clock(service) for service in SERVICES))
        return min(found)

    async def _clock(self, service: str, given: Mapping[str, str] | None = None) -> datetime:
        url = f"{self._site.url(service)}/clock"
        try:
            if given is None:
                answer = await self._http.get(url, headers=self._ops)
            else:
                answer = await self._http.put(url, json=given, headers=self._ops)
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PlayError(f"{service} did not answer about its clock: {error!r}") from error
        if not answer.is_success:
            raise PlayError(f"{service} refused the clock: {found.get('detail')}")
        if found["kind"] != "simulated":
            raise PlayError(f"{service} belongs to a centre of the present: only one whose time is set plays a past")
        return datetime.fromisoformat(found["now"])

    async def set_clocks(self, now: datetime, *, accept_until: datetime) -> None:
        """Set every service's clock; committed everywhere on return."""
        given = {"now": now.isoformat(), "accept_until": accept_until.isoformat()}
        await asyncio.gather(*(self._clock(service, given) for service in SERVICES))

    async def send(self, acts: list[Act]) -> list[Refusal]:
        """Have acts performed over one stream, in order; what was refused. Their keys make it safe to send again."""
        if not acts:
            return []
        body = b"".join(json.dumps(act, ensure_ascii=False).encode() + b"\n" for act in acts)
        headers = {**self._importer, "Content-Type": "application/x-ndjson"}
        trouble = ""
        for _ in range(_TRIES):
            try:
                answer = await self._http.post(f"{self._site.url('intake')}/acts:batch", content=body, headers=headers)
                if answer.is_client_error:
                    raise PlayError(f"intake takes no acts from this key: {answer.text[:300]}")
                lines = [json.loads(line) for line in answer.content.splitlines()]
                broken = [line for line in lines if line["status"] >= 500]
                if answer.is_success and len(lines) == len(acts) and not broken:
                    return [_refusal(line) for line in lines if line["status"] >= 400]
                trouble = f"{len(lines)} answers to {len(acts)} acts, {len(broken)} of them 'not now'"
            except (httpx.HTTPError, ValueError) as error:
                trouble = repr(error)
            await asyncio.sleep(_PAUSE_SECONDS)
        raise PlayError(f"intake did not take a window's acts in {_TRIES} tries: {trouble}")


def _refusal(line: Mapping[str, Any]) -> Refusal:
    return Refusal(line["key"], line["status"], line["problem"])
