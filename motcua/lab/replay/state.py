"""The centre's state after a replay, from its database: a digest of all events, and each dossier's clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import psycopg
from psycopg import sql

from motcua.local.database import SERVICES, unavailable
from shared.kernel.worktime import Worktime

_EVENTS = """
select count(*), coalesce(md5(string_agg(md5(concat_ws(' ', topic, key, sequence, epoch, id, value)), ''
  order by topic, key, sequence, epoch)), '') from {}
"""
_CLOCKS = """
select dossier_id, due_at, state = 'ended' as ended, (
  select value::jsonb #>> '{data,outcome}' from sla.events
  where topic = 'sla.deadlines.v1' and key = dossier_id::text and type = 'deadline.ended'
  order by epoch desc, sequence desc limit 1
) as outcome from sla.dossiers where state is not null
"""


@dataclass(frozen=True, slots=True)
class EventDigest:
    """The number of events published, and a digest per service of their ids, sequences and bytes."""

    count: int
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clock:
    """A dossier's clock in sla. An ended clock has the `outcome` `early`, `on_time` or `late`, if it had a due date."""

    due_date: date | None
    ended: bool
    outcome: str | None


def read_event_digest(verify_url: str) -> EventDigest:
    """Compute the digest of all events in the database. Blocks. Raises StartError if the database does not answer."""
    try:
        with psycopg.connect(verify_url, connect_timeout=5) as connection:
            found = [
                connection.execute(sql.SQL(_EVENTS).format(sql.Identifier(service, "events"))).fetchone() or (0, "")
                for service in SERVICES
            ]
    except psycopg.OperationalError as error:
        raise unavailable(error) from error
    return EventDigest(sum(count for count, _ in found), tuple(digest for _, digest in found))


def read_clocks(verify_url: str, worktime: Worktime) -> Mapping[UUID, Clock]:
    """Read every received dossier's clock. Blocks. Raises StartError if the database does not answer."""
    try:
        with psycopg.connect(verify_url, connect_timeout=5) as connection:
            rows = connection.execute(_CLOCKS).fetchall()
    except psycopg.OperationalError as error:
        raise unavailable(error) from error
    return {
        dossier_id: Clock(None if due_at is None else worktime.local_date(due_at), ended, outcome if ended else None)
        for dossier_id, due_at, ended, outcome in rows
    }
