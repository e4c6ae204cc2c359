"""The services' state at the end of the demo, read from their tables through the read-only role."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from motcua.lab.demo.expected_clocks import ClockStatus
from motcua.lab.scenarios.half_year.ledger import DepartmentWeek
from services.intake.dossiers.registry import ACT_OF_EVENT
from services.routing.domain.decisions import Receiving
from services.routing.domain.volumes import Week
from services.routing.general_counter.store import parse_weeks
from shared.contracts.topics import DOSSIERS
from shared.kernel.errors import StartError

_MONDAY = "date_trunc('week', {} at time zone %(zone)s)::date"

_SUBMITTED = f"""
select coalesce(department, ''), {_MONDAY.format("submitted_at")}, count(*) from intake.dossiers
where submitted_at is not null group by 1, 2
"""
_RECEIVED = f"""
select coalesce(department, ''), {_MONDAY.format("received_at")}, count(*),
    count(*) filter (where channel <> 'online') from intake.dossiers
where received_at is not null group by 1, 2
"""
_ACTS = f"""
select coalesce(dossier.department, ''), {_MONDAY.format("event.time")}, event.type, count(*)
from intake.events as event left join intake.dossiers as dossier on dossier.dossier_id = event.key::uuid
where event.topic = %(topic)s group by 1, 2, 3
"""
# sla publishes an end once, and again only if changed rules give another outcome: the last event counts.
_CLOCKS = """
with ended as (
    select distinct on (key) key::uuid as dossier_id, value::jsonb -> 'data' ->> 'outcome' as outcome
    from sla.events where type = 'deadline.ended' order by key, sequence desc
)
select clock.dossier_id, coalesce(dossier.department, ''), clock.state, clock.due_at, ended.outcome,
    jsonb_path_exists(clock.changes, '$[*] ? (@.kind == "paused")')
from sla.dossiers as clock
left join intake.dossiers as dossier using (dossier_id) left join ended using (dossier_id)
where clock.state is not null
"""
_CLOSED = """
select department, week, coalesce((received ->> 'counter')::int, 0) + coalesce((received ->> 'post')::int, 0)
from routing.volumes
"""
_PROPOSED = """
select department, receiving, weeks, earliest_from from routing.proposals where state = 'proposed' order by department
"""
_MESSAGES = "select channel, state, coalesce(reason, ''), count(*) from notify.messages group by 1, 2, 3"
_NOW = "select now_at from sla.clock where kind = 'simulated'"


@dataclass(frozen=True, slots=True)
class Clock:
    """A received dossier's clock in sla. `overdue`: it is running, and the local date of its due date has ended."""

    department: str
    status: ClockStatus
    was_paused: bool
    overdue: bool


@dataclass(frozen=True, slots=True)
class OpenProposal:
    """An open proposal of routing: a department's new receiving place, the weeks it is based on, and its first date."""

    department: str
    receiving: Receiving
    weeks: tuple[Week, ...]
    earliest_from: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceState:
    """The services' state, counted like the drawn acts: by department and week (its Monday). `now` is centre time."""

    now: datetime
    submitted: Counter[DepartmentWeek]
    received: Counter[DepartmentWeek]
    volume: Counter[DepartmentWeek]
    """Dossiers received by counter or post."""
    acts: Counter[tuple[str, date, str]]
    clocks: Mapping[UUID, Clock]
    closed: Counter[DepartmentWeek]
    """Routing's volumes, by counter or post, of every department and closed week."""
    proposals: Sequence[OpenProposal]
    messages: Counter[tuple[str, str]]
    """By channel and outcome. An outcome with a reason has the form `dropped: expired`."""

    @property
    def last_closed(self) -> date | None:
        """The Monday of the last week that routing has closed. None if it has closed none."""
        return max((week for _, week in self.closed), default=None)


def read_state(verify_url: str, zone: ZoneInfo) -> ServiceState:
    """Read the services' state from the centre's database, in one transaction. Blocks.

    The centre must have a simulated clock and be quiescent. Raises StartError if the database does not answer, or the
    centre has a system clock.
    """
    about = {"zone": zone.key, "topic": DOSSIERS.name}
    act_of = {event.TYPE: act.name for event, act in ACT_OF_EVENT.items()}
    try:
        with psycopg.connect(verify_url, connect_timeout=5) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            query = connection.execute
            now = query(_NOW).fetchone()
            if now is None:
                raise StartError("This centre has a system clock. The demo needs a simulated clock.")
            received = query(_RECEIVED, about).fetchall()
            return ServiceState(
                now=now[0],
                submitted=Counter({(code, week): count for code, week, count in query(_SUBMITTED, about)}),
                received=Counter({(code, week): count for code, week, count, _ in received}),
                volume=Counter({(code, week): count for code, week, _, count in received}),
                acts=Counter(
                    {
                        (code, week, act_of[name]): count
                        for code, week, name, count in query(_ACTS, about)
                        if name in act_of
                    }
                ),
                clocks={row[0]: _clock(*row[1:], now=now[0], zone=zone) for row in query(_CLOCKS)},
                closed=Counter({(code, week): count for code, week, count in query(_CLOSED)}),
                proposals=[
                    OpenProposal(code, receiving, parse_weeks(weeks), earliest_from)
                    for code, receiving, weeks, earliest_from in query(_PROPOSED)
                ],
                messages=_messages(query(_MESSAGES).fetchall()),
            )
    except psycopg.Error as error:
        raise StartError(f"The database does not answer: {' '.join(str(error).split())}") from error


def _clock(
    department: str,
    state: str,
    due_at: datetime | None,
    outcome: str | None,
    was_paused: bool,
    *,
    now: datetime,
    zone: ZoneInfo,
) -> Clock:
    ended = due_at is not None and due_at.astimezone(zone).date() < now.astimezone(zone).date()
    status = ClockStatus(state, due_at, outcome if state == "ended" else None)
    return Clock(department, status, was_paused, overdue=state == "running" and ended)


def _messages(rows: list[tuple[str, str, str, int]]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for channel, state, reason, count in rows:
        found[channel, f"{state}: {reason}" if reason else state] += count
    return found
