"""The general counter's tables: decisions, proposals, closed weeks and their volumes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from pydantic import TypeAdapter

from services.routing.domain.decisions import Decision, Decisions
from services.routing.domain.load import Arrivals
from services.routing.domain.pooling import Receiving, Week
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.kernel.weeks import WEEK
from shared.kernel.worktime import midnight
from shared.postgres.pool import Connection
from shared.postgres.rows import RecordTable

SYSTEM = "routing"
"""Who decided what nobody signed."""
ProposalState = Literal["proposed", "approved", "rejected", "lapsed"]
_WEEKS = TypeAdapter(tuple[Week, ...])


@dataclass(slots=True, kw_only=True)
class DecisionRow:
    """A decision as it was signed; `weeks`, `rule` and `proposal_id` stand where it approved a proposal."""

    decision_id: UUID
    department: str
    effective_from: date
    receiving: Receiving
    fixed: bool = False
    decision: str
    reason: str | None = None
    rule: str | None = None
    weeks: list[dict[str, Any]] = field(default_factory=list)
    proposal_id: UUID | None = None
    decided_by: str
    decided_at: datetime


DECISIONS = RecordTable(
    DecisionRow,
    name="decisions",
    key="decision_id",
    columns={
        "decision_id": "uuid",
        "department": "text",
        "effective_from": "date",
        "receiving": "text",
        "fixed": "boolean",
        "decision": "text",
        "reason": "text",
        "rule": "text",
        "weeks": "jsonb",
        "proposal_id": "uuid",
        "decided_by": "text",
        "decided_at": "timestamptz",
    },
)


@dataclass(slots=True, kw_only=True)
class ProposalRow:
    """What the rule proposes for a department, by which `weeks` and parameters (`rule`), and what became of it.

    `coming` is the first date on which it could take effect. `decision` stands once it is approved or rejected,
    `effective_from` once it is approved, `reason` once it is rejected or lapsed; `seen_until` is the last week that was
    closed when it was rejected.
    """

    proposal_id: UUID
    department: str
    receiving: Receiving
    weeks: list[dict[str, Any]]
    rule: str
    coming: date
    proposed_at: datetime
    state: ProposalState = "proposed"
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision: str | None = None
    reason: str | None = None
    effective_from: date | None = None
    seen_until: date | None = None

    def lapse(self, reason: str, at: datetime) -> None:
        """It ends by itself, for that reason."""
        self.state, self.reason, self.decided_by, self.decided_at = "lapsed", reason, SYSTEM, at


PROPOSALS = RecordTable(
    ProposalRow,
    name="proposals",
    key="proposal_id",
    columns={
        "proposal_id": "uuid",
        "department": "text",
        "receiving": "text",
        "weeks": "jsonb",
        "rule": "text",
        "coming": "date",
        "proposed_at": "timestamptz",
        "state": "text",
        "decided_by": "text",
        "decided_at": "timestamptz",
        "decision": "text",
        "reason": "text",
        "effective_from": "date",
        "seen_until": "date",
    },
)


@dataclass(slots=True, kw_only=True)
class WeekRow:
    """A closed week, from Monday on, and the version of the calendar that counted its working days."""

    week: date
    closed_at: datetime
    calendar_version: int


WEEKS = RecordTable(
    WeekRow,
    name="weeks",
    key="week",
    columns={"week": "date", "closed_at": "timestamptz", "calendar_version": "integer"},
)


@dataclass(slots=True, kw_only=True)
class VolumeRow:
    """A department's closed week: dossiers `received` by channel, and the working days that it had."""

    week: date
    department: str
    working_days: int
    received: dict[str, int]

    def counted(self, channels: Collection[str]) -> Week:
        """What counts of it for the rule."""
        dossiers = sum(count for channel, count in self.received.items() if channel in channels)
        return Week(self.week, dossiers, self.working_days)


VOLUMES = RecordTable(
    VolumeRow,
    name="volumes",
    key="department",
    columns={"week": "date", "department": "text", "working_days": "integer", "received": "jsonb"},
)


def weeks_from(documents: Sequence[dict[str, Any]]) -> tuple[Week, ...]:
    """Figures as the domain has them, from those that a row keeps."""
    return _WEEKS.validate_python(documents)


def weeks_as(weeks: Sequence[Week]) -> list[dict[str, Any]]:
    """Figures as a row keeps them."""
    found: list[dict[str, Any]] = _WEEKS.dump_python(tuple(weeks), mode="json")
    return found


def decision_of(row: DecisionRow) -> Decision:
    """A kept decision as the domain has it."""
    return Decision(
        department=row.department,
        effective_from=row.effective_from,
        receiving=row.receiving,
        number=row.decision,
        fixed=row.fixed,
        rule=row.rule,
        weeks=weeks_from(row.weeks),
    )


_BOOK = "motcua decisions"
"""Who reads decisions for a dossier shares this lock until the commit; who signs one takes it alone, and only then
looks at the time: so no dossier is decided without a decision that was in force when it was submitted."""


async def share_decisions(connection: Connection) -> None:
    """Hold off whoever signs until this transaction ends. Waits for one who is signing."""
    await connection.execute("select pg_advisory_xact_lock_shared(hashtext($1), hashtext(current_schema()))", _BOOK)


async def own_decisions(connection: Connection) -> None:
    """Wait for every transaction that decides by the decisions so far, and hold off others until this one ends."""
    await connection.execute("select pg_advisory_xact_lock(hashtext($1), hashtext(current_schema()))", _BOOK)


async def lock_counter(connection: Connection) -> str | None:
    """Lock the general counter's row; gives the seed as JSON text, None before the first start."""
    seed: str | None = await connection.fetchval("select seed from general_counter for update")
    return seed


async def version(connection: "Connection | asyncpg.Pool") -> int:
    """How many decisions are kept."""
    return int(await connection.fetchval("select version from general_counter"))


async def began_on(connection: "Connection | asyncpg.Pool") -> date | None:
    """Since when weeks are counted; None before the first start."""
    found: date | None = await connection.fetchval("select began_on from general_counter")
    return found


async def decisions(connection: "Connection | asyncpg.Pool", department: str | None = None) -> list[DecisionRow]:
    """The decisions kept, of one department or all, by department and date."""
    found = await connection.fetch(
        f"select {', '.join(DECISIONS.columns)} from decisions where $1::text is null or department = $1 "
        "order by department, effective_from",
        department,
    )
    return DECISIONS.records(found)


async def all_decisions(connection: "Connection | asyncpg.Pool") -> Decisions:
    """As the domain has them."""
    return Decisions(map(decision_of, await decisions(connection)))


async def proposals(
    connection: "Connection | asyncpg.Pool",
    *,
    department: str | None = None,
    state: ProposalState | None = None,
    after: UUID | None = None,
    limit: int | None = None,
) -> list[ProposalRow]:
    """Proposals, oldest first."""
    found = await connection.fetch(
        f"select {', '.join(PROPOSALS.columns)} from proposals where ($1::text is null or department = $1) "
        "and ($2::text is null or state = $2) "
        "and proposal_id > coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid) order by proposal_id limit $4",
        department,
        state,
        after,
        limit,
    )
    return PROPOSALS.records(found)


async def last_week(connection: "Connection | asyncpg.Pool") -> date | None:
    """The Monday of the week that was closed last."""
    found: date | None = await connection.fetchval("select max(week) from weeks")
    return found


async def volumes(
    connection: "Connection | asyncpg.Pool", *, first: date, last: date, department: str | None = None
) -> list[VolumeRow]:
    """Closed weeks that begin from `first` to `last`, by week and department."""
    found = await connection.fetch(
        f"select {', '.join(VOLUMES.columns)} from volumes where week between $1 and $2 "
        "and ($3::text is null or department = $3) order by week, department",
        first,
        last,
        department,
    )
    return VOLUMES.records(found)


_RECEIVED = """
select (date_trunc('week', received_at at time zone $1))::date as week, named_department,
    coalesce(channel, 'unknown') as channel, count(*) as dossiers
from dossiers where received_at >= $2 and received_at < $3 and ($4::text is null or named_department = $4)
group by 1, 2, 3
"""

Received = dict[date, dict[str, dict[str, int]]]
"""Dossiers by week (its Monday), department and channel."""


async def received_in(
    connection: "Connection | asyncpg.Pool", zone: ZoneInfo, first: date, last: date, department: str | None = None
) -> Received:
    """Dossiers received in the weeks that begin from `first` to `last` (Mondays), by the department that their codes
    are drawn from, of one or all."""
    found: Received = {}
    span = midnight(first, zone), midnight(last + WEEK, zone)
    for row in await connection.fetch(_RECEIVED, zone.key, *span, department):
        found.setdefault(row["week"], {}).setdefault(row["named_department"], {})[row["channel"]] = row["dossiers"]
    return found


_BY_HOUR = """
select named_department, procedure, day, hour, count(*) as dossiers from (
    select named_department, procedure, (received_at at time zone $1)::date as day,
        extract(hour from received_at at time zone $1)::int as hour
    from unnest($2::timestamptz[], $3::timestamptz[]) as days (start, until)
    join dossiers on received_at >= start and received_at < until and channel = any($4::text[])
) as received
group by 1, 2, 3, 4
"""
_BY_PLACE = """
select receiving_place, named_department, extract(hour from received_at at time zone $1)::int as hour,
    count(*) as dossiers
from dossiers where received_at >= $2 and received_at < $3 and channel = any($4::text[]) and receiving_place is not null
group by 1, 2, 3
"""


async def arrivals_by_hour(
    connection: "Connection | asyncpg.Pool", zone: ZoneInfo, days: Sequence[date], channels: Sequence[str]
) -> list[Arrivals]:
    """Dossiers received by these channels on these local dates, by department, procedure, day and hour."""
    starts = [midnight(day, zone) for day in days]
    ends = [midnight(day + timedelta(days=1), zone) for day in days]
    rows = await connection.fetch(_BY_HOUR, zone.key, starts, ends, list(channels))
    return [
        Arrivals(row["named_department"], row["procedure"], row["day"], row["hour"], row["dossiers"]) for row in rows
    ]


async def arrivals_by_place(
    connection: "Connection | asyncpg.Pool", zone: ZoneInfo, start: datetime, end: datetime, channels: Sequence[str]
) -> dict[str | None, dict[int, int]]:
    """Dossiers received by these channels from `start` to before `end`, by hour, at each department's counters, or
    (None) at the general counter, as the decision of their day says."""
    found: dict[str | None, dict[int, int]] = {}
    for row in await connection.fetch(_BY_PLACE, zone.key, start, end, list(channels)):
        place = None if row["receiving_place"] == "general" else row["named_department"]
        hours = found.setdefault(place, {})
        hours[row["hour"]] = hours.get(row["hour"], 0) + row["dossiers"]
    return found


async def any_quarantined(connection: "Connection | asyncpg.Pool") -> bool:
    """Whether an event of intake is quarantined: it may be a receipt."""
    return bool(
        await connection.fetchval(
            "select exists (select from quarantined_records where topic = $1)", DOSSIERS_TOPIC.name
        )
    )
