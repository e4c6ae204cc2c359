"""Calendars, what is proposed about them, and the writes over HTTP that took effect: sla's tables beside the clocks."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from shared.postgres.pool import Connection
from shared.postgres.rows import RecordTable, Row, Table


@dataclass(slots=True, kw_only=True)
class CalendarRow(Row):
    """A calendar: its last published version, the rules in force, and the rules with which the configuration began.

    `history` tells of each version its `decision`, `since` when it counts, how many of the `exceptions` are its own,
    its `last_date`, and of an approved one `decided_by` whom it was and by which `proposal_id`.
    """

    version: int = 0
    digest: str = ""
    seed: dict[str, Any] | None = None
    rules: dict[str, Any] | None = None
    history: list[dict[str, Any]] = field(default_factory=list)


CALENDARS = Table(
    CalendarRow,
    name="calendars",
    key="name",
    key_type="text",
    columns={"version": "integer", "digest": "text", "seed": "jsonb", "rules": "jsonb", "history": "jsonb"},
)


@dataclass(slots=True, kw_only=True)
class ProposalRow:
    """A change that somebody proposes to the `base_version` of a calendar, and what became of it.

    `decision` and `calendar_version` stand once it is approved, `reason` once it is discarded.
    """

    proposal_id: UUID
    calendar: str
    base_version: int
    exceptions: list[dict[str, Any]]
    last_date: date | None
    state: Literal["proposed", "approved", "discarded"] = "proposed"
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision: str | None = None
    reason: str | None = None
    calendar_version: int | None = None


PROPOSALS = RecordTable(
    ProposalRow,
    name="proposals",
    key="proposal_id",
    columns={
        "proposal_id": "uuid",
        "calendar": "text",
        "base_version": "integer",
        "exceptions": "jsonb",
        "last_date": "date",
        "state": "text",
        "proposed_by": "text",
        "proposed_at": "timestamptz",
        "decided_by": "text",
        "decided_at": "timestamptz",
        "decision": "text",
        "reason": "text",
        "calendar_version": "integer",
    },
)


_PROPOSALS = f"""
select {", ".join(PROPOSALS.columns)} from proposals
where calendar = $1 and proposal_id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)
order by proposal_id limit $3
"""


async def proposals(pool: asyncpg.Pool, calendar: str, *, after: UUID | None, limit: int) -> list[ProposalRow]:
    """A calendar's proposals, oldest first."""
    return PROPOSALS.records(await pool.fetch(_PROPOSALS, calendar, after, limit))


async def names(connection: "Connection | asyncpg.Pool") -> list[str]:
    """The calendars whose rules sla keeps."""
    return [
        row["name"] for row in await connection.fetch("select name from calendars where rules is not null order by 1")
    ]
