"""Reads and writes dossiers in the database. Statements of the write path work on a whole block of acts."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from services.intake.domain.codes import Reference, SerialKey, Serials
from services.intake.domain.dossier import Dossier
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.postgres.pool import Connection
from shared.postgres.rows import RecordTable, Row, Table


@dataclass(kw_only=True)
class DossierRow(Dossier, Row):
    """A dossier as it is stored: the aggregate with its key, sequence and fences."""


@dataclass(frozen=True, slots=True)
class ForeignCodeRecord:
    """The code that a dossier has in another system; `id` is `<system>/<code>`."""

    id: str
    system: str
    code: str
    dossier_id: UUID


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document that came with the dossier's event `sequence`; `place` counts the event's documents from 1."""

    dossier_id: UUID
    sequence: int
    place: int
    requirement: str | None
    title: str
    media_type: str | None
    size: int | None
    sha256: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class DetailsRecord:
    """The free text and signatures that belong to the dossier's event `sequence` and are not published with it."""

    dossier_id: UUID
    sequence: int
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ApplicantRecord:
    """The personal data that are stored of a dossier's applicant."""

    dossier_id: UUID
    name: str | None
    phone: str | None
    email: str | None
    id_number: str | None
    address: str | None


DOSSIERS = Table(
    DossierRow,
    name="dossiers",
    columns={
        "state": "text",
        "state_before_pause": "text",
        "procedure": "text",
        "department": "text",
        "channel": "text",
        "counter": "integer",
        "code": "text",
        "submitted_by": "text",
        "submitted_at": "timestamptz",
        "received_at": "timestamptz",
        "last_act_at": "timestamptz",
        "incomplete": "boolean",
        "reach": "jsonb",
        "handed_in": "jsonb",
        "requested_papers": "jsonb",
        "clock_sequence": "bigint",
        "due": "jsonb",
        "assignment": "jsonb",
        "step": "integer",
        "extensions": "integer",
        "papers_waiting_since": "timestamptz",
        "papers_counter": "integer",
        "papers_sent_sequence": "bigint",
        "settled_at": "timestamptz",
        "result_at": "timestamptz",
    },
)
FOREIGN_CODES = RecordTable(
    ForeignCodeRecord,
    name="foreign_codes",
    key="id",
    columns={"id": "text", "system": "text", "code": "text", "dossier_id": "uuid"},
)
DOCUMENTS = RecordTable(
    DocumentRecord,
    name="documents",
    key="dossier_id",
    columns={
        "dossier_id": "uuid",
        "sequence": "bigint",
        "place": "integer",
        "requirement": "text",
        "title": "text",
        "media_type": "text",
        "size": "bigint",
        "sha256": "text",
        "reference": "text",
    },
)
DETAILS = RecordTable(
    DetailsRecord,
    name="details",
    key="dossier_id",
    columns={"dossier_id": "uuid", "sequence": "bigint", "content": "jsonb"},
)
_APPLICANTS = RecordTable(
    ApplicantRecord,
    name="applicants",
    key="dossier_id",
    columns={
        "dossier_id": "uuid",
        "name": "text",
        "phone": "text",
        "email": "text",
        "id_number": "text",
        "address": "text",
    },
)

_BY_CODES = "select code, dossier_id from dossiers where code = any($1::text[])"
_BY_FOREIGN_CODES = "select id, dossier_id from foreign_codes where id = any($1::text[])"


async def resolve(pool: asyncpg.Pool, references: Iterable[Reference]) -> dict[Reference, UUID]:
    """Return the dossier id of each reference; an unknown code or foreign code is absent.

    A reference by id is returned as it is, without a check that the dossier exists. Locks nothing: a code never moves
    to another dossier.
    """
    distinct = set(references)
    found = {reference: UUID(reference.value) for reference in distinct if reference.kind == "id"}
    codes = [reference.value for reference in distinct if reference.kind == "code"]
    if codes:
        rows = await pool.fetch(_BY_CODES, codes)
        found |= {Reference("code", row["code"]): row["dossier_id"] for row in rows}
    foreign = [reference.value for reference in distinct if reference.kind == "foreign"]
    if foreign:
        rows = await pool.fetch(_BY_FOREIGN_CODES, foreign)
        found |= {Reference("foreign", row["id"]): row["dossier_id"] for row in rows}
    return found


_TAKEN_FOREIGN_CODES = "select id from foreign_codes where id = any($1::text[])"


async def taken_foreign_codes(connection: Connection, ids: Collection[str]) -> set[str]:
    """Return those of the foreign codes `ids` (`<system>/<code>`) that a dossier already has."""
    if not ids:
        return set()
    return {row["id"] for row in await connection.fetch(_TAKEN_FOREIGN_CODES, list(ids))}


# One statement locks the rows in key order, increments them and returns the end of this transaction's serials.
_DRAW_SERIALS = """
insert into serials as s (agency, day, form, last)
select agency, day, form, n from unnest($1::text[], $2::date[], $3::text[], $4::integer[]) as v (agency, day, form, n)
order by agency, day, form
on conflict (agency, day, form) do update set last = s.last + excluded.last
returning agency, day, form, last
"""


async def draw_serials(connection: Connection, counts: Counter[SerialKey]) -> Serials:
    """Take as many serials of each key from the database as `counts` has, and return them.

    Their rows stay locked until the commit, so no other transaction draws the same.
    """
    if not counts:
        return Serials({})
    keys = list(counts)
    rows = await connection.fetch(
        _DRAW_SERIALS,
        [key.agency for key in keys],
        [key.day for key in keys],
        [key.form for key in keys],
        [counts[key] for key in keys],
    )
    ends = {SerialKey(row["agency"], row["day"], row["form"]): row["last"] for row in rows}
    return Serials({key: end - counts[key] for key, end in ends.items()})


async def load_applicants(connection: Connection, ids: Collection[UUID]) -> dict[UUID, ApplicantRecord]:
    """Return the stored applicants of these dossiers, by dossier id; the transaction must hold the dossiers' locks."""
    return await _APPLICANTS.read_all(connection, ids) if ids else {}


_SAVE_APPLICANTS = """
insert into applicants (dossier_id, name, phone, email, id_number, address)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    as v (dossier_id, name, phone, email, id_number, address)
order by 1
on conflict (dossier_id) do update set name = excluded.name, phone = excluded.phone, email = excluded.email,
    id_number = excluded.id_number, address = excluded.address
"""


async def save_applicants(connection: Connection, applicants: Sequence[ApplicantRecord]) -> None:
    """Insert or replace applicants, one per dossier; the transaction must hold the dossiers' locks."""
    if applicants:
        columns = zip(
            *((a.dossier_id, a.name, a.phone, a.email, a.id_number, a.address) for a in applicants), strict=True
        )
        await connection.execute(_SAVE_APPLICANTS, *map(list, columns))


async def load_dossier(connection: "Connection | asyncpg.Pool", dossier_id: UUID) -> DossierRow | None:
    """Return one dossier without locking it; None if it does not exist or is not submitted yet."""
    row = await DOSSIERS.read(connection, dossier_id)
    return None if row is None or row.state is None else row


_HISTORY = "select value from events where key = $1 and topic = $2 order by sequence"


async def load_history(connection: Connection, dossier_id: UUID) -> list[dict[str, Any]]:
    """Return the dossier's published events in sequence order, each as a JSON object with envelope and data."""
    rows = await connection.fetch(_HISTORY, str(dossier_id), DOSSIERS_TOPIC.name)
    return [json.loads(row["value"]) for row in rows]


_APPLICANT = "select name, phone, email, id_number, address from applicants where dossier_id = $1"
_DOCUMENTS = (
    "select requirement, title, media_type, size, sha256, reference from documents where dossier_id = $1 "
    "order by sequence, place"
)
_DETAILS = "select sequence, content from details where dossier_id = $1"


async def load_private(
    connection: Connection, dossier_id: UUID
) -> tuple[dict[str, str | None], list[dict[str, Any]], Mapping[int, dict[str, Any]]]:
    """Return the applicant (empty if none is stored), the documents in order, and the details by event sequence.

    All of it may be personal data.
    """
    applicant = await connection.fetchrow(_APPLICANT, dossier_id)
    documents = await connection.fetch(_DOCUMENTS, dossier_id)
    details = await connection.fetch(_DETAILS, dossier_id)
    return (
        dict(applicant) if applicant else {},
        [dict(row) for row in documents],
        {row["sequence"]: json.loads(row["content"]) for row in details},
    )


_FOREIGN_CODES = "select system, code from foreign_codes where dossier_id = $1 order by system, code"


async def load_foreign_codes(connection: Connection, dossier_id: UUID) -> list[dict[str, str]]:
    """Return the dossier's codes in other systems, each with `system` and `code`."""
    return [dict(row) for row in await connection.fetch(_FOREIGN_CODES, dossier_id)]


_BY_CODE = "select dossier_id from dossiers where code = $1"


async def find_by_code(pool: asyncpg.Pool, code: str) -> UUID | None:
    """Return the id of the dossier that has this code of this centre, or None."""
    found: UUID | None = await pool.fetchval(_BY_CODE, code)
    return found


_BY_FOREIGN_CODE = (
    "select distinct dossier_id from foreign_codes where code = $1 and ($2::text is null or system = $2) limit 2"
)


async def find_by_foreign_code(pool: asyncpg.Pool, code: str, system: str | None) -> list[UUID]:
    """Return the ids of at most two dossiers that have this code in the other system `system`.

    If `system` is None, the code may be of any other system, and two ids mean that it is ambiguous.
    """
    return [row["dossier_id"] for row in await pool.fetch(_BY_FOREIGN_CODE, code, system)]


# The index dossiers_differing has this condition.
_DIFFERING_ASSIGNMENTS = """
select dossier_id, code, state, procedure, department, assignment ->> 'competent_department' as by_routing
from dossiers
where department <> (assignment ->> 'competent_department') and ($1::uuid is null or dossier_id > $1)
order by dossier_id limit $2
"""


async def differing_assignments(pool: asyncpg.Pool, *, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """Return at most `limit` dossiers whose department differs from the one that routing assigned.

    They follow `after` in key order.
    """
    return list(await pool.fetch(_DIFFERING_ASSIGNMENTS, after, limit))
