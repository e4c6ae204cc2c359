"""SQL of the general counter: signed decisions, proposals, closed weeks and their volumes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from pydantic import TypeAdapter

from services.routing.domain.decisions import Decision, Decisions, Receiving
from services.routing.domain.volumes import Week
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.kernel.errors import ProposalNotFoundError
from shared.kernel.weeks import WEEK
from shared.kernel.worktime import midnight
from shared.postgres.pool import Connection
from shared.postgres.rows import RecordTable
from shared.service import approvals
from shared.service.approvals import ProposalState

_WEEKS = TypeAdapter(tuple[Week, ...])
_SEED = TypeAdapter(list[Decision])


def parse_weeks(documents: Sequence[dict[str, Any]]) -> tuple[Week, ...]:
    """Convert the JSON values that `dump_weeks` returns to weekly figures."""
    return _WEEKS.validate_python(documents)


def dump_weeks(weeks: Sequence[Week]) -> list[dict[str, Any]]:
    """Convert weekly figures to JSON values, for a `jsonb` column."""
    found: list[dict[str, Any]] = _WEEKS.dump_python(tuple(weeks), mode="json")
    return found


@dataclass(slots=True, kw_only=True)
class DecisionRow:
    """The row of a signed decision; `decision` is the number of the document.

    `weeks`, `rule` and `proposal_id` are set if the decision approved a proposal.
    """

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

    def to_decision(self) -> Decision:
        """Return the decision as a `Decision` of the domain."""
        return Decision(
            department=self.department,
            effective_from=self.effective_from,
            receiving=self.receiving,
            number=self.decision,
            fixed=self.fixed,
            rule=self.rule,
            weeks=parse_weeks(self.weeks),
        )


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
class ProposalRow(approvals.ProposalRow):
    """The row of a proposal: who should receive for a department, and the `weeks` that justify it.

    `rule` is the number of the decision about the rule's parameters. The change takes effect not before
    `earliest_from`; an approval sets the date, `effective_from`. A rejection sets `last_closed_week` to the newest week
    closed by then.
    """

    department: str
    receiving: Receiving
    weeks: list[dict[str, Any]]
    rule: str
    earliest_from: date
    effective_from: date | None = None
    last_closed_week: date | None = None


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
        "earliest_from": "date",
        "proposed_at": "timestamptz",
        "state": "text",
        "decided_by": "text",
        "decided_at": "timestamptz",
        "decision": "text",
        "reason": "text",
        "effective_from": "date",
        "last_closed_week": "date",
    },
)


@dataclass(slots=True, kw_only=True)
class WeekRow:
    """The row of a closed week: its Monday, and the version of the calendar by which its working days were counted."""

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
    """The row of a department's volume in a closed week: dossiers `received` by channel, and working days.

    Only working days on which the department existed count.
    """

    week: date
    department: str
    working_days: int
    received: dict[str, int]

    def figures(self, channels: Collection[str]) -> Week:
        """Return the week's figures with the dossiers of only these channels, as input of the rule."""
        dossiers = sum(count for channel, count in self.received.items() if channel in channels)
        return Week(self.week, dossiers, self.working_days)


VOLUMES = RecordTable(
    VolumeRow,
    name="volumes",
    key="department",
    columns={"week": "date", "department": "text", "working_days": "integer", "received": "jsonb"},
)


_LOCK = "motcua decisions"
"""An advisory lock. Transactions that assign dossiers share it until their commit. A transaction that signs a decision
takes it exclusively and only then reads the time: so no dossier is assigned without a decision that was in force when
it was submitted."""


async def lock_decisions(connection: Connection) -> None:
    """Block all transactions that assign dossiers until this transaction ends. Waits for those already open."""
    await connection.execute("select pg_advisory_xact_lock(hashtext($1), hashtext(current_schema()))", _LOCK)


class SignedDecisions:
    """This process's copy of all signed decisions, as last read from the database.

    Decisions are only added, so of two copies the one with more decisions is newer.
    """

    def __init__(self, current: Decisions | None = None) -> None:
        self.current = Decisions() if current is None else current

    async def refresh(self, connection: "Connection | asyncpg.Pool") -> Decisions:
        """Read the committed decisions if their number has changed, and return the newest copy."""
        if await connection.fetchval("select version from general_counter") != self.current.count:
            committed = await read_decisions(connection)
            if committed.count > self.current.count:  # a concurrent call may have read more
                self.current = committed
        return self.current

    async def refresh_locked(self, connection: Connection) -> None:
        """Refresh the copy in a transaction that assigns dossiers, and block the signing of decisions until it ends.

        Waits for a transaction that is signing a decision.
        """
        await connection.execute("select pg_advisory_xact_lock_shared(hashtext($1), hashtext(current_schema()))", _LOCK)
        await self.refresh(connection)


async def lock_general_counter(connection: Connection) -> list[Decision] | None:
    """Lock the general counter's row until the transaction ends, and return the decisions of the first start.

    None before the first start. Blocks while another transaction has the lock.
    """
    seed = await connection.fetchval("select seed from general_counter for update")
    return None if seed is None else _SEED.validate_json(seed)


_START = "update general_counter set version = $1, seed = $2, counted_from = $3"


async def insert_initial_decisions(
    connection: Connection, rows: Sequence[DecisionRow], seed: Sequence[Decision], counted_from: date
) -> None:
    """Insert the decisions of the first start, and store the date from which weeks are counted.

    `rows` are the decisions to insert. `seed` are the same decisions as in the configuration, for later comparison.
    """
    await DECISIONS.insert(connection, rows)
    await connection.execute(_START, len(rows), _SEED.dump_json(list(seed)).decode(), counted_from)


async def insert_decision(connection: Connection, row: DecisionRow) -> None:
    """Insert a signed decision. The caller must hold `lock_general_counter` and `lock_decisions`."""
    await DECISIONS.insert(connection, [row])
    await connection.execute("update general_counter set version = version + 1")


async def read_counted_from(connection: "Connection | asyncpg.Pool") -> date | None:
    """Read the first day whose dossiers count in weekly volumes; None before the first start."""
    found: date | None = await connection.fetchval("select counted_from from general_counter")
    return found


_DECISIONS = f"""
select {", ".join(DECISIONS.columns)} from decisions where $1::text is null or department = $1
order by department, effective_from
"""


async def list_decisions(connection: "Connection | asyncpg.Pool", department: str | None = None) -> list[DecisionRow]:
    """Read the signed decisions of one department or all, in the order of department and `effective_from`."""
    return DECISIONS.records(await connection.fetch(_DECISIONS, department))


async def read_decisions(connection: "Connection | asyncpg.Pool") -> Decisions:
    """Read all signed decisions as one `Decisions` object."""
    return Decisions(row.to_decision() for row in await list_decisions(connection))


async def read_proposal(connection: "Connection | asyncpg.Pool", proposal_id: UUID) -> ProposalRow:
    """Read one proposal, without a lock. Raises ProposalNotFoundError."""
    found = await PROPOSALS.read(connection, proposal_id)
    if found is None:
        raise ProposalNotFoundError
    return found


_PROPOSALS = f"""
select {", ".join(PROPOSALS.columns)} from proposals
where ($1::text is null or department = $1) and ($2::text is null or state = $2)
  and proposal_id > coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid)
order by proposal_id limit $4
"""


async def list_proposals(
    connection: "Connection | asyncpg.Pool",
    *,
    department: str | None = None,
    state: ProposalState | None = None,
    after: UUID | None = None,
    limit: int | None = None,
) -> list[ProposalRow]:
    """Read proposals of a department and state (None: all), oldest first, at most `limit` after the id `after`."""
    return PROPOSALS.records(await connection.fetch(_PROPOSALS, department, state, after, limit))


async def last_closed_week(connection: "Connection | asyncpg.Pool") -> date | None:
    """Read the Monday of the newest closed week; None if no week is closed."""
    found: date | None = await connection.fetchval("select max(week) from weeks")
    return found


_VOLUMES = f"""
select {", ".join(VOLUMES.columns)} from volumes
where week between $1 and $2 and ($3::text is null or department = $3) order by week, department
"""


async def list_volumes(
    connection: "Connection | asyncpg.Pool", *, first: date, last: date, department: str | None = None
) -> list[VolumeRow]:
    """Read the volumes of the closed weeks that begin from `first` to `last` inclusive.

    `department` None is all departments. The order is by week and department.
    """
    return VOLUMES.records(await connection.fetch(_VOLUMES, first, last, department))


Received = dict[date, dict[str, dict[str, int]]]
"""Numbers of dossiers by week (its Monday), department and channel."""

_RECEIVED = """
select (date_trunc('week', received_at at time zone $1))::date as week, named_department,
    coalesce(channel, 'unknown') as channel, count(*) as dossiers
from dossiers where received_at >= $2 and received_at < $3 and ($4::text is null or named_department = $4)
group by 1, 2, 3
"""


async def count_received(
    connection: "Connection | asyncpg.Pool", zone: ZoneInfo, first: date, last: date, department: str | None = None
) -> Received:
    """Count the dossiers received from the week of Monday `first` to that of Monday `last` inclusive, by week.

    Returns the number for each week, department and channel.

    `department` None is all departments. A dossier's department is the one whose agency id its code contains.
    """
    found: Received = {}
    span = midnight(first, zone), midnight(last + WEEK, zone)
    for row in await connection.fetch(_RECEIVED, zone.key, *span, department):
        found.setdefault(row["week"], {}).setdefault(row["named_department"], {})[row["channel"]] = row["dossiers"]
    return found


_ANY_QUARANTINED = "select exists (select from quarantined_records where topic = $1)"


async def any_quarantined(connection: "Connection | asyncpg.Pool") -> bool:
    """Whether a record of intake's dossier topic is quarantined: a receipt among them would not be counted yet."""
    return bool(await connection.fetchval(_ANY_QUARANTINED, DOSSIERS_TOPIC.name))
