"""Player of past acts: sends them to a centre with a simulated clock, window by window, so deadlines fire in order.

The result does not depend on the length of the windows. A window ends only when the centre is quiescent, and whatever
falls due within it is recorded at its own instant.
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

_QUIESCENT_WITHIN_SECONDS = 300.0
_POLL_SECONDS = 0.05
_ATTEMPTS = 5
_PAUSE_SECONDS = 1.0

Act = Mapping[str, Any]
"""A line of `POST /acts:batch`, with its `occurred_at`."""


class PlayError(MotcuaError):
    """The play cannot continue; the message contains the reason. Acts already sent are not undone."""


@dataclass(frozen=True, slots=True)
class Window:
    """The acts after the end of the window before, up to and including this `end`."""

    end: datetime
    acts: list[Act]


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """An act that intake refused, with the answer's status and problem document."""

    key: str | None
    status: int
    problem: Mapping[str, Any]


@dataclass(slots=True)
class PlayProgress:
    """How far the play has come: `until` in centre time (None before the first window), windows, acts sent, refusals.

    Acts that an interrupted play had sent before are counted again.
    """

    until: datetime | None = None
    windows: int = 0
    acts: int = 0
    refusals: list[RefusedAct] = field(default_factory=list)


def windows(
    acts: Iterable[Act], start: datetime, next_end: Callable[[datetime], datetime], *, until: datetime | None = None
) -> Iterator[Window]:
    """Yield the acts, which are in time order, cut into windows.

    `next_end` returns the end of the window that begins at an instant; the first begins at `start`. A window without
    acts is joined to the next one. With `until`, no window ends later, and the last one ends then, even without acts.
    Raises PlayError for an act without an instant or with one that is out of order or after `until`.
    """

    def after(end: datetime) -> datetime:
        found = next_end(end)
        return found if until is None else max(end, min(found, until))

    end, gathered, previous = after(start), list[Act](), None
    for number, act in enumerate(acts, 1):
        at = _instant(act, number)
        if previous is not None and at < previous:
            raise PlayError(
                f"Act {number} ({at.isoformat()}) is earlier than the act before it. Sort the acts by time."
            )
        if until is not None and at > until:
            raise PlayError(f"Act {number} ({at.isoformat()}) is after the end of the play, {until.isoformat()}.")
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


def window_end(worktime: Worktime, length: timedelta, until: datetime | None, start: datetime) -> datetime:
    """Return the instant `length` of working time after `start`, or `until` if the calendar ends before that.

    Raises OutsideCalendarError if the calendar ends before that and `until` is None.
    """
    try:
        return worktime.add(start, length)
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
        raise PlayError(f"Act {number} has no occurred_at with an offset, such as 2017-11-06T07:00:00+07:00.")
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
    progress: Callable[[PlayProgress], None] = lambda _: None,
    stop_asked: Callable[[], bool] = lambda: False,
) -> PlayProgress:
    """Play acts, which are in time order, and then advance the centre's clock to `until`, if given.

    Return how far the play came. `window` is working time, by default half a standard day. `importer` and `ops` are API
    keys. `progress` is called after each window. `stop_asked` is called before each; if it returns true, the play ends.

    Acts that the centre already has change nothing, so an interrupted play may be started again from the beginning. A
    refused act is listed in the result, and later acts of its dossier in the same window are refused with it.

    Raises PlayError for acts that cannot be cut into windows, a service without a simulated clock, or an intake that
    does not accept acts. Raises NotQuiescentError for a centre that does not become quiescent, and OutsideCalendarError
    beyond the centre's calendar.
    """
    calendar = compile_calendar(centre.calendar)
    length = window or calendar.standard_day / 2
    played = PlayProgress()
    watched = Watched(site.kafka, site.databases[VERIFY])
    async with httpx.AsyncClient(timeout=httpx.Timeout(10.0, read=300.0, write=300.0), trust_env=False) as http:
        services = _Services(http, site, importer, ops)
        try:
            now = await services.now()
            for one in windows(acts, now, partial(window_end, calendar.worktime, length, until), until=until):
                if stop_asked():
                    break
                await services.set_clocks(now, accept_until=max(now, one.end))
                played.refusals += await services.send(one.acts)
                await watched.wait_until_quiescent(
                    now=now, within_seconds=_QUIESCENT_WITHIN_SECONDS, poll_seconds=_POLL_SECONDS
                )
                now = max(now, one.end)
                await services.set_clocks(now, accept_until=now)
                await watched.wait_until_quiescent(
                    now=now, within_seconds=_QUIESCENT_WITHIN_SECONDS, poll_seconds=_POLL_SECONDS
                )
                played.until = now
                played.windows += 1
                played.acts += len(one.acts)
                progress(played)
        finally:
            await watched.close()
    return played


class _Services:
    """The HTTP endpoints that the player uses: the clock of each service, and intake's batch of acts."""

    def __init__(self, http: httpx.AsyncClient, site: Site, importer: str, ops: str) -> None:
        self._http = http
        self._site = site
        self._importer = {"Authorization": f"Bearer {importer}"}
        self._ops = {"Authorization": f"Bearer {ops}"}

    async def now(self) -> datetime:
        """Return the centre's time. After an interrupted play the services may differ; the earliest time counts."""
        found = await asyncio.gather(*(self._clock(service) for service in SERVICES))
        return min(found)

    async def _clock(self, service: str, change: Mapping[str, str] | None = None) -> datetime:
        url = f"{self._site.url(service)}/clock"
        try:
            if change is None:
                answer = await self._http.get(url, headers=self._ops)
            else:
                answer = await self._http.put(url, json=change, headers=self._ops)
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PlayError(f"The clock of {service} did not answer: {error!r}") from error
        if not answer.is_success:
            raise PlayError(f"{service} refused the request to its clock: {found.get('detail')}")
        if found["kind"] != "simulated":
            raise PlayError(f"{service} has a system clock. Only a centre with a simulated clock can play a past.")
        return datetime.fromisoformat(found["now"])

    async def set_clocks(self, now: datetime, *, accept_until: datetime) -> None:
        """Set the simulated clock of every service to `now`; each accepts acts up to `accept_until`.

        All have committed on return. Raises PlayError.
        """
        change = {"now": now.isoformat(), "accept_until": accept_until.isoformat()}
        await asyncio.gather(*(self._clock(service, change) for service in SERVICES))

    async def send(self, acts: list[Act]) -> list[RefusedAct]:
        """Send acts to intake as one batch, in order, and return those that it refused.

        A failure is retried, which the acts' keys make safe. Raises PlayError after the last attempt, or if intake
        rejects the whole batch.
        """
        if not acts:
            return []
        body = b"".join(json.dumps(act, ensure_ascii=False).encode() + b"\n" for act in acts)
        headers = {**self._importer, "Content-Type": "application/x-ndjson"}
        failure = ""
        for _ in range(_ATTEMPTS):
            try:
                answer = await self._http.post(f"{self._site.url('intake')}/acts:batch", content=body, headers=headers)
                if answer.is_client_error:
                    raise PlayError(f"intake rejected the batch of acts: {answer.text[:300]}")
                lines = [json.loads(line) for line in answer.content.splitlines()]
                broken = [line for line in lines if line["status"] >= 500]
                if answer.is_success and len(lines) == len(acts) and not broken:
                    return [_refused(line) for line in lines if line["status"] >= 400]
                failure = (
                    f"{len(lines)} answers to {len(acts)} acts, {len(broken)} of them with a status of 500 or above"
                )
            except (httpx.HTTPError, ValueError) as error:
                failure = repr(error)
            await asyncio.sleep(_PAUSE_SECONDS)
        raise PlayError(f"intake did not accept the acts of a window after {_ATTEMPTS} attempts: {failure}")


def _refused(line: Mapping[str, Any]) -> RefusedAct:
    return RefusedAct(line["key"], line["status"], line["problem"])
