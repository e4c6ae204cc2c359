"""Calendars and proposals in the database, and the open clocks that a rehearsal reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from services.sla.clocks.store import OPEN
from services.sla.domain.calendar_changes import CalendarChange
from services.sla.domain.rules import CalendarVersion
from shared.kernel.calendar_rules import CalendarException, CalendarRules
from shared.postgres.pool import Connection
from shared.postgres.rows import RecordTable, Row, Table
from shared.service import approvals

_RULES = TypeAdapter(CalendarRules)
_EXCEPTIONS = TypeAdapter(tuple[CalendarException, ...])


def rules_to_document(rules: CalendarRules) -> dict[str, Any]:
    """Convert a calendar's rules to JSON values."""
    document: dict[str, Any] = _RULES.dump_python(rules, mode="json")
    return document


def rules_from_document(document: Mapping[str, Any]) -> CalendarRules:
    """Convert JSON values from `rules_to_document` to a calendar's rules."""
    return _RULES.validate_python(document)


def exceptions_to_documents(exceptions: tuple[CalendarException, ...]) -> list[dict[str, Any]]:
    """Convert exceptions of a calendar to JSON values."""
    documents: list[dict[str, Any]] = _EXCEPTIONS.dump_python(exceptions, mode="json")
    return documents


def versions_from_documents(history: Iterable[Mapping[str, Any]]) -> tuple[CalendarVersion, ...]:
    """Convert the JSON in `history` of a calendar's row to its versions, in the same order (oldest first)."""
    return tuple(
        CalendarVersion(
            each["version"],
            each["decision"] or "",
            datetime.fromisoformat(each["since"]),
            each["exceptions"],
            date.fromisoformat(each["last_date"]),
        )
        for each in history
    )


@dataclass(slots=True, kw_only=True)
class CalendarRow(Row):
    """A calendar's row: its present version and rules, and the rules (`seed`) of the configuration at the first start.

    `digest` is that of the present version's content. `history` has for each version its `decision`, `since` when it is
    in force, its number of `exceptions` and its `last_date`; and for an approved version `decided_by` and
    `proposal_id`.
    """

    version: int = 0
    digest: str = ""
    seed: dict[str, Any] | None = None
    rules: dict[str, Any] | None = None
    history: list[dict[str, Any]] = field(default_factory=list)

    def calendar_rules(self) -> CalendarRules:
        """Return the rules in force. The calendar must have started."""
        assert self.rules is not None, "a calendar has its rules from its first start on"
        return rules_from_document(self.rules)

    def versions(self) -> tuple[CalendarVersion, ...]:
        """Return all versions of the calendar, oldest first."""
        return versions_from_documents(self.history)

    def add_version(
        self,
        rules: CalendarRules,
        *,
        digest: str,
        decision: str | None,
        since: datetime,
        decided_by: str | None,
        proposal_id: UUID | None,
    ) -> None:
        """Set these rules as the next version in this row and append it to `history`. The caller saves the row."""
        self.version += 1
        self.digest = digest
        self.rules = rules_to_document(rules)
        version = {
            "version": self.version,
            "decision": decision,
            "since": since.isoformat(),
            "exceptions": len(rules.exceptions),
            "last_date": rules.last_date.isoformat(),
            "decided_by": decided_by,
            "proposal_id": None if proposal_id is None else str(proposal_id),
        }
        self.history = [*self.history, version]


CALENDARS = Table(
    CalendarRow,
    name="calendars",
    key="name",
    key_type="text",
    columns={"version": "integer", "digest": "text", "seed": "jsonb", "rules": "jsonb", "history": "jsonb"},
)


@dataclass(slots=True, kw_only=True)
class ProposalRow(approvals.ProposalRow):
    """A proposed change of a calendar's version `base_version`; an approval makes the version `calendar_version`."""

    calendar: str
    base_version: int
    exceptions: list[dict[str, Any]]
    last_date: date | None
    proposed_by: str
    calendar_version: int | None = None

    def change(self) -> CalendarChange:
        """Return the proposed change as a domain value."""
        return CalendarChange(_EXCEPTIONS.validate_python(self.exceptions), self.last_date)


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


async def proposals_of(pool: asyncpg.Pool, calendar: str, *, after: UUID | None, limit: int) -> list[ProposalRow]:
    """Read at most `limit` proposals of a calendar, oldest first, after the id `after` (None: from the start)."""
    return PROPOSALS.records(await pool.fetch(_PROPOSALS, calendar, after, limit))


async def calendar_names(connection: "Connection | asyncpg.Pool") -> list[str]:
    """Read the names of the calendars that have started, in alphabetical order."""
    rows = await connection.fetch("select name from calendars where rules is not null order by 1")
    return [row["name"] for row in rows]


async def other_calendar(pool: asyncpg.Pool, name: str) -> str | None:
    """Read the name of one started calendar other than `name`; None if there is no other."""
    found: str | None = await pool.fetchval(
        "select name from calendars where seed is not null and name <> $1 limit 1", name
    )
    return found


async def calendar_version(connection: "Connection | asyncpg.Pool", name: str) -> int | None:
    """Read the number of a calendar's present version; None if the calendar has no row."""
    version: int | None = await connection.fetchval("select version from calendars where name = $1", name)
    return version


_OF_VERSION = f"""
{OPEN} and calendar_version = $1 and dossier_id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)
    and ($3::text is null or department = $3)
"""
_HAS_OTHER_CHANGES = """changes @? '$[*] ? (@.kind != "received" && @.kind != "paused" && @.kind != "resumed")'"""
_OPEN_CLOCKS = f"""
select dossier_id, code, department, procedure, changes, due_at from dossiers
where {_OF_VERSION} and (not $5 or {_HAS_OTHER_CHANGES})
order by dossier_id limit $4
"""


async def open_clocks(
    pool: asyncpg.Pool,
    version: int,
    *,
    department: str | None,
    after: UUID | None,
    limit: int,
    beyond_pauses: bool = False,
) -> list[asyncpg.Record]:
    """Read at most `limit` open clocks derived by this calendar version, in key order, after the key `after`.

    `department` None means all departments. With `beyond_pauses`, only clocks that have other changes than the receipt,
    pauses and resumptions. `changes` of a record is JSON text.
    """
    return await pool.fetch(_OPEN_CLOCKS, version, after, department, limit, beyond_pauses)


# Microseconds since 1970; $5 represents a missing due date.
_OPEN_CLOCK_ARRAYS = f"""
with page as (
    select dossier_id, department, procedure, received_at, due_at, changes from dossiers
    where {_OF_VERSION} and not {_HAS_OTHER_CHANGES}
    order by dossier_id limit $4
)
select department, procedure, max(dossier_id::text) as last,
    array_agg((extract(epoch from received_at) * 1000000)::bigint) as received,
    array_agg(coalesce((extract(epoch from due_at) * 1000000)::bigint, $5)) as due,
    array_agg(case when jsonb_array_length(changes) > 1 then changes::text end) as changes
from page group by department, procedure
"""


async def open_clock_arrays(
    pool: asyncpg.Pool, version: int, *, department: str | None, after: UUID | None, limit: int, no_due: int
) -> list[asyncpg.Record]:
    """Read at most `limit` open clocks without other changes than the receipt and pauses, as arrays.

    The clocks are the next ones after the key `after`, in key order, that this calendar version derived. Each record
    has one department and procedure, and the arrays `received`, `due` and `changes` with one element per clock, in the
    same order. Instants are microseconds since 1970; `no_due` represents a missing due date. An element of `changes` is
    JSON text, or None for a clock that was never paused. `last` is the group's greatest key as text.
    """
    return await pool.fetch(_OPEN_CLOCK_ARRAYS, version, after, department, limit, no_due)
