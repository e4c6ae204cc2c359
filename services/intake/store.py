"""The SQL that the shell's tables do not cover. Statements of the acts' way work on a whole block."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.intake.domain.codes import SerialKey, Serials
from services.intake.requests import Reference
from services.intake.tables import ApplicantRecord, DossierRow
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.postgres.pool import Connection


async def resolve(pool: asyncpg.Pool, references: Iterable[Reference]) -> dict[Reference, UUID]:
    """The dossiers behind codes and foreign codes; those that nobody carries are absent. Codes never move."""
    wanted = set(references)
    found = {reference: UUID(reference.value) for reference in wanted if reference.kind == "id"}
    codes = [reference.value for reference in wanted if reference.kind == "code"]
    if codes:
        rows = await pool.fetch("select code, dossier_id from dossiers where code = any($1::text[])", codes)
        found |= {Reference("code", row["code"]): row["dossier_id"] for row in rows}
    foreign = [reference.value for reference in wanted if reference.kind == "foreign"]
    if foreign:
        rows = await pool.fetch("select id, dossier_id from foreign_codes where id = any($1::text[])", foreign)
        found |= {Reference("foreign", row["id"]): row["dossier_id"] for row in rows}
    return found


async def taken_foreign_codes(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of the foreign codes that a dossier carries already."""
    if not ids:
        return set()
    rows = await connection.fetch("select id from foreign_codes where id = any($1::text[])", list(ids))
    return {row["id"] for row in rows}


# One statement locks the rows in key order, counts them up and tells where this transaction's serials begin.
_DRAW = """
insert into serials as s (agency, day, form, last)
select agency, day, form, n from unnest($1::text[], $2::date[], $3::text[], $4::integer[]) as v (agency, day, form, n)
order by agency, day, form
on conflict (agency, day, form) do update set last = s.last + excluded.last
returning agency, day, form, last
"""


async def draw_serials(connection: Connection, wanted: Counter[SerialKey]) -> Serials:
    """As many serials as wanted. Holds their rows until the commit: nobody else's transaction draws the same."""
    if not wanted:
        return Serials({})
    keys = list(wanted)
    rows = await connection.fetch(
        _DRAW,
        [key.agency for key in keys],
        [key.day for key in keys],
        [key.form for key in keys],
        [wanted[key] for key in keys],
    )
    ends = {SerialKey(row["agency"], row["day"], row["form"]): row["last"] for row in rows}
    return Serials({key: end - wanted[key] for key, end in ends.items()})


async def load_applicants(connection: Connection, ids: Collection[UUID]) -> dict[UUID, ApplicantRecord]:
    """What is known of the applicants of these dossiers, whose locks are held."""
    if not ids:
        return {}
    rows = await connection.fetch(
        "select dossier_id, name, phone, email, id_number, address from applicants where dossier_id = any($1::uuid[])",
        list(ids),
    )
    return {row["dossier_id"]: ApplicantRecord(**row) for row in rows}


_SAVE_APPLICANTS = """
insert into applicants (dossier_id, name, phone, email, id_number, address)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    as v (dossier_id, name, phone, email, id_number, address)
order by 1
on conflict (dossier_id) do update set name = excluded.name, phone = excluded.phone, email = excluded.email,
    id_number = excluded.id_number, address = excluded.address
"""


async def save_applicants(connection: Connection, applicants: Sequence[ApplicantRecord]) -> None:
    """Keep what is known of applicants, one record a dossier; the dossier's lock is held."""
    if applicants:
        await connection.execute(
            _SAVE_APPLICANTS,
            [one.dossier_id for one in applicants],
            [one.name for one in applicants],
            [one.phone for one in applicants],
            [one.email for one in applicants],
            [one.id_number for one in applicants],
            [one.address for one in applicants],
        )


async def load_dossier(connection: Connection, dossier_id: UUID) -> DossierRow | None:
    """One dossier as it stands, not locked; None where intake does not have it."""
    row = await connection.fetchrow(
        "select state, came_from, procedure, department, channel, counter, code, submitted_by, submitted_at, "
        "received_at, last_act_at, incomplete, reach, handed_in, asked_papers, clock_sequence, due, assignment, step, "
        "extensions, sequence from dossiers where dossier_id = $1 and state is not null",
        dossier_id,
    )
    if row is None:
        return None
    values = dict(row)
    for column in ("reach", "handed_in", "asked_papers", "due", "assignment"):
        values[column] = None if values[column] is None else json.loads(values[column])
    return DossierRow(key=dossier_id, **values)


async def load_history(connection: Connection, dossier_id: UUID) -> list[dict[str, Any]]:
    """The dossier's events as they stand on Kafka, in sequence order."""
    rows = await connection.fetch(
        "select value from events where key = $1 and topic = $2 order by sequence", str(dossier_id), DOSSIERS_TOPIC.name
    )
    return [json.loads(row["value"]) for row in rows]


async def load_private(
    connection: Connection, dossier_id: UUID
) -> tuple[dict[str, str | None], list[dict[str, Any]], Mapping[int, dict[str, Any]]]:
    """The applicant, the documents, and the details by sequence: personal data, all of it."""
    applicant = await connection.fetchrow(
        "select name, phone, email, id_number, address from applicants where dossier_id = $1", dossier_id
    )
    documents = await connection.fetch(
        "select requirement, title, media_type, size, sha256, reference from documents where dossier_id = $1 "
        "order by sequence, place",
        dossier_id,
    )
    details = await connection.fetch("select sequence, content from details where dossier_id = $1", dossier_id)
    return (
        dict(applicant) if applicant else {},
        [dict(row) for row in documents],
        {row["sequence"]: json.loads(row["content"]) for row in details},
    )


async def load_foreign_codes(connection: Connection, dossier_id: UUID) -> list[dict[str, str]]:
    """The codes that the dossier carries in other systems."""
    rows = await connection.fetch(
        "select system, code from foreign_codes where dossier_id = $1 order by system, code", dossier_id
    )
    return [dict(row) for row in rows]


async def find_by_foreign_code(pool: asyncpg.Pool, code: str, system: str | None) -> list[UUID]:
    """The dossiers that carry this code in that system, or in any."""
    rows = await pool.fetch(
        "select distinct dossier_id from foreign_codes where code = $1 and ($2::text is null or system = $2) limit 2",
        code,
        system,
    )
    return [row["dossier_id"] for row in rows]


# One statement, and so one transaction, finds the contacts and records the accesses.
_LOOK_UP = """
with asked as (
    select * from unnest($1::uuid[], $2::uuid[], $3::bigint[]) with ordinality
        as v (dossier_id, message_id, sequence, place)
), found as (
    select asked.dossier_id, asked.message_id, asked.place, a.name, a.phone, a.email, t.content -> 'papers' as papers
    from asked join dossiers d on d.dossier_id = asked.dossier_id and d.state is not null
    left join applicants a on a.dossier_id = asked.dossier_id
    left join details t on t.dossier_id = asked.dossier_id and t.sequence = asked.sequence
), recorded as (
    insert into contact_lookups (dossier_id, purpose, message_id, actor, looked_up_at)
    select dossier_id, $4, message_id, $5, $6 from found order by place
)
select place, name, phone, email, papers from found
"""


async def look_up_contacts(
    pool: asyncpg.Pool,
    wanted: Sequence[tuple[UUID, UUID | None, int | None]],
    *,
    purpose: str,
    actor: str,
    at: datetime,
) -> list[dict[str, Any] | None]:
    """Name, phone and e-mail of dossiers' applicants, and the papers that an event asked for in free words.

    `wanted` names dossier, message and the event's sequence. The answer is in its order, None without the dossier.
    Records every access to a dossier that is there; commits.
    """
    rows = await pool.fetch(_LOOK_UP, *map(list, zip(*wanted, strict=True)), purpose, actor, at)
    found = {
        row["place"]: {
            "name": row["name"],
            "phone": row["phone"],
            "email": row["email"],
            "papers": json.loads(row["papers"] or "[]"),
        }
        for row in rows
    }
    return [found.get(place) for place in range(1, len(wanted) + 1)]


async def differing_assignments(pool: asyncpg.Pool, *, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Dossiers whose competent department routing sees elsewhere than intake, in the order of their ids."""
    rows = await pool.fetch(
        "select dossier_id, code, state, procedure, department, assignment ->> 'competent_department' as by_routing "
        "from dossiers where department <> (assignment ->> 'competent_department') "
        "and ($1::uuid is null or dossier_id > $1) order by dossier_id limit $2",
        after,
        limit,
    )
    return [dict(row) for row in rows]
