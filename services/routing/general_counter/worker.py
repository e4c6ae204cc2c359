"""Close weeks: store their volumes and apply the rule, once no dossier can be received into the week any more."""

from datetime import date, datetime, timedelta

import asyncpg
import structlog

from services.routing.domain.decisions import next_week_start
from services.routing.domain.volumes import closes_at
from services.routing.general_counter import store
from services.routing.general_counter.handlers import ClosedWeek, apply_rule
from services.routing.general_counter.store import PROPOSALS, VOLUMES, WEEKS, VolumeRow, WeekRow
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.kernel.weeks import WEEK, monday
from shared.kernel.worktime import OutsideCalendarError, Worktime, midnight
from shared.messaging.consumer import Consumer
from shared.postgres.clock import refresh
from shared.postgres.periodic import Periodic
from shared.postgres.pool import Connection
from shared.postgres.published_calendars import PublishedCalendar, WorkingTime
from shared.service.process import Context

WEEK_CLOSED = "week_closed"
WEEK_CLOSE_FAILED = "week_close_failed"
RULE_NOT_APPLIED = "rule_not_applied"
_POLL_SECONDS = 1.0
_CATCH_UP_SECONDS = 5.0
_HISTORY = 104 * WEEK
_DAY = timedelta(days=1)

log = structlog.get_logger(__name__)


class WeekCloser:
    """Worker that closes weeks in order. Every replica may run a WeekCloser; each week is closed once.

    A week is closed when acts can no longer be dated into it, all events of intake in Kafka have taken effect, and none
    is quarantined. The receipt of a dossier that intake publishes only later changes no volume and no decision;
    `GET /volumes` shows the number of such receipts.
    """

    def __init__(self, context: Context, calendar: PublishedCalendar, consumer: Consumer) -> None:
        self._context = context
        self._calendar = calendar
        self._consumer = consumer
        self.worker = Periodic(self._close_and_pause, failed=WEEK_CLOSE_FAILED, retry_seconds=_POLL_SECONDS)

    async def _close_and_pause(self) -> float:
        return 0.0 if await self.close_oldest() else _POLL_SECONDS

    async def close_oldest(self) -> bool:
        """Close the oldest open week if possible: store its volumes, apply the rule, and commit.

        Return True if the week is closed now, by this or another replica; False if it cannot be closed yet.
        """
        context = self._context
        calendar = await self._calendar.read(context.pool)
        week = await self.oldest_open_week()
        if calendar is None or week is None:
            return False
        await refresh(context.clock, context.pool)
        last = self.closes_at(week, calendar)
        if last is None or context.clock.now() <= last or await self.waits_for(_CATCH_UP_SECONDS) is not None:
            return False
        async with context.pool.acquire() as connection, connection.transaction():
            await store.lock_general_counter(connection)
            if await self._oldest_open_week(connection) != week:
                return True  # closed by another replica
            await self._close(connection, week, calendar, last)
        log.info(WEEK_CLOSED, week=str(week))
        return True

    async def waits_for(self, within_seconds: float = 0.0) -> str | None:
        """Return a text that names the events of intake that delay the close of a week; None if no event does.

        Waits up to `within_seconds` until all events that are in Kafka at the call have taken effect: under load, some
        partition always lags.
        """
        partitions = range(DOSSIERS_TOPIC.partitions)
        reached = await self._consumer.caught_up_in_group(
            DOSSIERS_TOPIC, awaited=partitions, within_seconds=within_seconds
        )
        if len(reached) < DOSSIERS_TOPIC.partitions:
            return f"some events of {DOSSIERS_TOPIC.name} have not taken effect yet"
        if await store.any_quarantined(self._context.pool):
            return f"events of {DOSSIERS_TOPIC.name} are quarantined (motcua parked list)"
        return None

    async def oldest_open_week(self) -> date | None:
        """Read the Monday of the oldest week that is not closed; None before the first start."""
        return await self._oldest_open_week(self._context.pool)

    async def count_late(self) -> int:
        """Count the weeks into which no act can be dated any more, and which are still open.

        Includes an ended week that cannot be closed, because the calendar ends before its last act.
        """
        week, calendar = await self.oldest_open_week(), await self._calendar.read(self._context.pool)
        found, now = 0, self._context.clock.now()
        while week is not None and calendar is not None:
            open_week = week + found * WEEK
            last = self.closes_at(open_week, calendar)
            if last is None:
                return found + (midnight(open_week + WEEK, calendar.worktime.zone) <= now)
            if last >= now:
                break
            found += 1
        return found

    def closes_at(self, week: date, calendar: WorkingTime) -> datetime | None:
        """The last instant at which intake accepts an act dated into the week that begins on the Monday `week`.

        None if the instant is outside the calendar.
        """
        return closes_at(week, self._context.centre, calendar.worktime, calendar.standard_day)

    async def _oldest_open_week(self, connection: "Connection | asyncpg.Pool") -> date | None:
        last = await store.last_closed_week(connection)
        if last is not None:
            return last + WEEK
        counted_from = await store.read_counted_from(connection)
        return None if counted_from is None else monday(counted_from)

    async def _close(self, connection: Connection, start: date, calendar: WorkingTime, last: datetime) -> None:
        closed_at, worktime = self._context.clock.at_due(last), calendar.worktime
        await WEEKS.insert(connection, [WeekRow(week=start, closed_at=closed_at, calendar_version=calendar.version)])
        await VOLUMES.insert(connection, await self._count_volumes(connection, start, worktime))
        today = worktime.local_date(last)
        try:
            earliest_from = next_week_start(worktime, today)
        except OutsideCalendarError as error:
            log.warning(RULE_NOT_APPLIED, week=str(start), error=f"{error}; extend the calendar (docs/calendars.md)")
            return
        added, lapsed = apply_rule(
            ClosedWeek(start, today, closed_at, earliest_from),
            self._context.centre,
            await store.read_decisions(connection),
            volumes=await store.list_volumes(connection, first=start - _HISTORY, last=start),
            proposals=await store.list_proposals(connection),
        )
        await PROPOSALS.update(connection, lapsed)
        await PROPOSALS.insert(connection, added)

    async def _count_volumes(self, connection: Connection, week: date, worktime: Worktime) -> list[VolumeRow]:
        """Compute the volumes of a week: one row for each department that exists in it or received a dossier.

        Inserts nothing.
        """
        centre = self._context.centre
        counted_from = await store.read_counted_from(connection)
        assert counted_from is not None, "stored at the first start, before the workers run"
        received = (await store.count_received(connection, worktime.zone, week, week)).get(week, {})
        days = [week + n * _DAY for n in range(7)]
        covered = [day for day in days if worktime.first_date <= day <= worktime.last_date]
        worked = [day for day in covered if day >= counted_from and worktime.is_working_day(day)]
        found = []
        for code in centre.departments.keys() | received.keys():
            existed = [day for day in worked if centre.department(code, day) is not None]
            if existed or code in received:
                found.append(
                    VolumeRow(week=week, department=code, working_days=len(existed), received=received.get(code, {}))
                )
        return found
