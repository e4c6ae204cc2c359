"""The services' state at the end of the demo, read through the role that can only read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from motcua.lab.demo.derivation import Promise
from motcua.lab.half_year.ledger import Place
from services.intake.dossiers.registry import ACT_OF_EVENT
from services.routing.counter_store import weeks_from
from services.routing.domain.pooling import Receiving, Week
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
# An end is told once, unless rules that changed since tell it anew: the last one counts.
_CLOCKS = """
with told as (
    select distinct on (key) key::uuid as dossier_id, value::jsonb -> 'data' ->> 'outcome' as outcome
    from sla.events where type = 'deadline.ended' order by key, sequence desc
)
select clock.dossier_id, coalesce(dossier.department, ''), clock.state, clock.due_at, told.outcome,
    jsonb_path_exists(clock.events, '$[*] ? (@.what == "paused")')
from sla.dossiers as clock
left join intake.dossiers as dossier using (dossier_id) left join told using (dossier_id)
where clock.state is not null
"""
_CLOSED = """
select department, week, coalesce((received ->> 'counter')::int, 0) + coalesce((received ->> 'post')::int, 0)
from routing.volumes
"""
_PROPOSED = """
select department, receiving, weeks, coming from routing.proposals where state = 'proposed' order by department
"""
_MESSAGES = "select channel, state, coalesce(reason, ''), count(*) from notify.messages group by 1, 2, 3"
_NOW = "select now_at from sla.clock where kind = 'simulated'"


@dataclass(frozen=True, slots=True)
class Clock:
    """A received dossier's clock as sla keeps it. `overdue`: it runs on though the local date of its due date ended."""

    department: str
    promise: Promise
    was_paused: bool
    overdue: bool


@dataclass(frozen=True, slots=True)
class Proposed:
    """What routing's rule proposes for a department, by which weeks, and from when it could count."""

    department: str
    receiving: Receiving
    weeks: tuple[Week, ...]
    coming: date


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the services say, counted as the ledger counts. `now` is where the centre's time stands."""

    now: datetime
    submitted: Counter[Place]
    received: Counter[Place]
    volume: Counter[Place]
    """Of those received, what came by the counter or by post."""
    acts: Counter[tuple[str, date, str]]
    clocks: Mapping[UUID, Clock]
    closed: Counter[Place]
    """Routing's volumes, by counter or post, of every department and week that is closed."""
    proposals: Sequence[Proposed]
    """Those that are open."""
    messages: Counter[tuple[str, str]]
    """By channel and outcome; an outcome with a reason reads `dropped: expired`."""

    @property
    def dossiers(self) -> int:
        """How many were submitted."""
        return self.submitted.total()

    @property
    def last_closed(self) -> date | None:
        """The Monday of the last closed week."""
        return max((week for _, week in self.closed), default=None)


def read_state(verify_url: str, zone: ZoneInfo) -> State:
    """Read a centre at rest whose time is set. Raises StartError when the database does not answer."""
    about = {"zone": zone.key, "topic": DOSSIERS.name}
    act_of = {event.TYPE: act.name for event, act in ACT_OF_EVENT.items()}
    try:
        with psycopg.connect(verify_url, connect_timeout=5) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            ask = connection.execute
            now = ask(_NOW).fetchone()
            if now is None:
                raise StartError("this centre's time is not set: it lives in the present")
            received = ask(_RECEIVED, about).fetchall()
            return State(
                now=now[0],
                submitted=Counter({(code, week): count for code, week, count in ask(_SUBMITTED, about)}),
                received=Counter({(code, week): count for code, week, count, _ in received}),
                volume=Counter({(code, week): count for code, week, _, count in received}),
                acts=Counter(
                    {
                        (code, week, act_of[name]): count
                        for code, week, name, count in ask(_ACTS, about)
                        if name in act_of
                    }
                ),
                clocks={row[0]: _clock(*row[1:], now=now[0], zone=zone) for row in ask(_CLOCKS)},
                closed=Counter({(code, week): count for code, week, count in ask(_CLOSED)}),
                proposals=[
                    Proposed(code, receiving, weeks_from(weeks), coming)
                    for code, receiving, weeks, coming in ask(_PROPOSED)
                ],
                messages=_messages(ask(_MESSAGES).fetchall()),
            )
    except psycopg.Error as error:
        raise StartError(f"the database does not answer: {' '.join(str(error).split())}") from error


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
    promise = Promise(state, due_at, outcome if state == "ended" else None)
    return Clock(department, promise, was_paused, overdue=state == "running" and ended)


def _messages(rows: list[tuple[str, str, str, int]]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for channel, state, reason, count in rows:
        found[channel, f"{state}: {reason}" if reason else state] += count
    return found
