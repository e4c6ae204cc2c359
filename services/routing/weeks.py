"""What weeks bring: each is closed once nothing of it can come any more, its volumes are kept, the rule is asked."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import asyncpg
import structlog

from services.routing import counter_store
from services.routing.counter_store import PROPOSALS, VOLUMES, WEEKS, ProposalRow, VolumeRow, WeekRow
from services.routing.domain.closing import closes_at
from services.routing.domain.decisions import next_start
from services.routing.domain.pooling import Change, change
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.kernel.centre import PoolingRule
from shared.kernel.ids import uuid7
from shared.kernel.weeks import WEEK, monday
from shared.kernel.worktime import OutsideCalendarError, Worktime, midnight
from shared.messaging.consumer import Consumer
from shared.postgres.clock import refresh
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from shared.postgres.pool import Connection
from shared.postgres.published_calendars import PublishedCalendar, WorkingTime
from shared.runtime.clock import machine_now
from shared.service.process import Context

WEEK_CLOSED = "week_closed"
CLOSING_FAILED = "week_closing_failed"
NOTHING_PROPOSED = "nothing_proposed"
_TICK_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0
_LOOKED_BACK = 104 * WEEK
_DAY = timedelta(days=1)

log = structlog.get_logger(__name__)


class Weeks:
    """Closes weeks. Any number of replicas may run one: who comes second finds the week closed.

    A week closes once acts can no longer be dated into it, all of intake's topic that was there after that instant has
    taken effect, and none of it is held. A receipt that comes later still (intake could not send it) is counted nowhere
    in silence: the volumes tell how many there are, and what was decided stands.
    """

    def __init__(self, context: Context, calendar: PublishedCalendar, consumer: Consumer) -> None:
        self._context = context
        self._calendar = calendar
        self._consumer = consumer

    async def run(self) -> None:
        """Close what can be closed until cancelled; a database that is away is waited for."""
        while True:
            closed = False
            try:
                closed = await self.step()
            except CONNECTION_ERRORS as error:
                if not is_transient(error):
                    raise
                log.warning(CLOSING_FAILED, error=f"{type(error).__name__}: {error}")
            if not closed:
                await asyncio.sleep(_TICK_SECONDS)

    async def step(self) -> bool:
        """Close the oldest open week if it can be closed by now; tells whether it was. Commits."""
        context = self._context
        calendar = await self._calendar.read(context.pool)
        week = await self.oldest_open()
        if calendar is None or week is None:
            return False
        await refresh(context.clock, context.pool)
        last = self.closes_at(week, calendar)
        if last is None or context.clock.now() <= last or await self.waits_for(_PATIENCE_SECONDS) is not None:
            return False
        async with context.pool.acquire() as connection, connection.transaction():
            await counter_store.lock_counter(connection)
            if await self._next(connection) != week:
                return True  # another replica was faster
            await self._close(connection, week, calendar, last)
        log.info(WEEK_CLOSED, week=str(week))
        return True

    async def waits_for(self, within_seconds: float = 0.0) -> str | None:
        """What keeps a week open that could close by now: events of intake that have not taken effect. None: nothing.

        Waits so long until those have that Kafka has now: where events flow, some are behind at every moment.
        """
        partitions = range(DOSSIERS_TOPIC.partitions)
        reached = await self._consumer.caught_up_in_group(
            DOSSIERS_TOPIC, awaited=partitions, within_seconds=within_seconds
        )
        if len(reached) < DOSSIERS_TOPIC.partitions:
            return f"not all of {DOSSIERS_TOPIC.name} has taken effect"
        if await counter_store.any_quarantined(self._context.pool):
            return f"events of {DOSSIERS_TOPIC.name} are quarantined (motcua parked list)"
        return None

    async def oldest_open(self) -> date | None:
        """The Monday of the oldest week that is not closed; None before the first start."""
        return await self._next(self._context.pool)

    async def late(self) -> int:
        """How many weeks can get no dossier any more by now and are not closed; also one that has ended and never can
        be, since the calendar ends."""
        week, calendar = await self.oldest_open(), await self._calendar.read(self._context.pool)
        found, now = 0, self._context.clock.now()
        while week is not None and calendar is not None:
            one = week + found * WEEK
            last = self.closes_at(one, calendar)
            if last is None:
                return found + (midnight(one + WEEK, calendar.worktime.zone) <= now)
            if last >= now:
                break
            found += 1
        return found

    def closes_at(self, week: date, calendar: WorkingTime) -> datetime | None:
        """The last instant at which an act may be dated into the week; None beyond the calendar."""
        return closes_at(week, self._context.centre, calendar.worktime, calendar.standard_day)

    async def _counted(self, connection: Connection, week: date, worktime: Worktime) -> list[VolumeRow]:
        """The volumes of a week as they stand: a row for each department that exists in it."""
        centre = self._context.centre
        began = await counter_store.began_on(connection)
        assert began is not None  # begun before anything runs
        received = (await counter_store.received_in(connection, worktime.zone, week, week)).get(week, {})
        days = [week + n * _DAY for n in range(7)]
        covered = [day for day in days if worktime.first_date <= day <= worktime.last_date]
        worked = [day for day in covered if day >= began and worktime.is_working_day(day)]
        found = []
        for code in centre.departments.keys() | received.keys():
            existed = [day for day in worked if centre.department(code, day) is not None]
            if existed or code in received:
                found.append(
                    VolumeRow(week=week, department=code, working_days=len(existed), received=received.get(code, {}))
                )
        return found

    async def _next(self, connection: "Connection | asyncpg.Pool") -> date | None:
        last = await counter_store.last_week(connection)
        if last is not None:
            return last + WEEK
        began = await counter_store.began_on(connection)
        return None if began is None else monday(began)

    async def _close(self, connection: Connection, week: date, calendar: WorkingTime, last: datetime) -> None:
        closed_at = self._context.clock.at_due(last)
        volumes = await self._counted(connection, week, calendar.worktime)
        await WEEKS.insert(connection, [WeekRow(week=week, closed_at=closed_at, calendar_version=calendar.version)])
        await VOLUMES.insert(connection, volumes)
        today = calendar.worktime.local_date(last)
        try:
            coming = next_start(calendar.worktime, today)
        except OutsideCalendarError as error:
            log.warning(NOTHING_PROPOSED, week=str(week), error=f"{error}; prolong the calendar (docs/calendars.md)")
        else:
            await self._propose(connection, week, today=today, coming=coming, at=closed_at)

    async def _propose(self, connection: Connection, week: date, *, today: date, coming: date, at: datetime) -> None:
        """Ask the rule about every department; an open proposal that it no longer makes lapses."""
        centre = self._context.centre
        rule = centre.pooling_rule(today)
        decisions = await counter_store.all_decisions(connection)
        history = await counter_store.volumes(connection, first=week - _LOOKED_BACK, last=week)
        proposals = await counter_store.proposals(connection)
        added, lapsed = list[ProposalRow](), list[ProposalRow]()
        for department in sorted(centre.departments):
            own = [proposal for proposal in proposals if proposal.department == department]
            proposed = None
            signed = decisions.coming(department, today) is not None  # and not yet in force
            if rule is not None and not signed and centre.department(department, coming) is not None:
                standing = decisions.standing(department, today, refused_until=_refused_until(own))
                weeks = [row.counted(rule.channels) for row in history if row.department == department]
                proposed = change(weeks, standing, rule, coming=coming)
            still_open = next((each for each in own if each.state == "proposed"), None)
            if still_open is not None and (proposed is None or proposed.receiving != still_open.receiving):
                still_open.lapse(f"the rule no longer proposes it with the week of {week}", at)
                lapsed.append(still_open)
            elif rule is not None and proposed is not None and still_open is None:
                added.append(_proposal(department, proposed, rule, at))
        await PROPOSALS.update(connection, lapsed)
        await PROPOSALS.insert(connection, added)


def _proposal(department: str, proposed: Change, rule: PoolingRule, at: datetime) -> ProposalRow:
    return ProposalRow(
        proposal_id=uuid7(machine_now()),  # in the order of their making, also where the centre's time stands
        department=department,
        receiving=proposed.receiving,
        weeks=counter_store.weeks_as(proposed.weeks),
        rule=rule.decision,
        coming=proposed.coming,
        proposed_at=at,
    )


def _refused_until(proposals: Sequence[ProposalRow]) -> date | None:
    """The last week that a leader could see when he rejected a proposal."""
    return max((each.seen_until for each in proposals if each.state == "rejected" and each.seen_until), default=None)
