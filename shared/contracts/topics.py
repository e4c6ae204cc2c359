"""The topics: each a typed object with one writer, explicit partitions and the kind of its key."""

from dataclasses import dataclass
from typing import Literal

Service = Literal["intake", "routing", "sla", "notify", "ops"]


@dataclass(frozen=True, slots=True)
class Topic:
    """`owner` is the one service that writes, `readers` those that consume; `key` says what its records are keyed
    (and sequenced) by. A `compacted` topic keeps the last record of each key: it is a table's changelog."""

    name: str
    owner: Service
    partitions: int
    readers: tuple[Service, ...] = ()
    key: Literal["dossier", "calendar", "entry"] = "dossier"
    compacted: bool = False


DOSSIERS = Topic("intake.dossiers.v1", owner="intake", partitions=6, readers=("routing", "sla", "notify"))
ASSIGNMENTS = Topic("routing.assignments.v1", owner="routing", partitions=6, readers=("intake", "notify"))
DEADLINES = Topic("sla.deadlines.v1", owner="sla", partitions=6, readers=("intake", "notify"))
CALENDARS = Topic("sla.calendars.v1", owner="sla", partitions=1, readers=("intake", "routing"), key="calendar")
MESSAGES = Topic("notify.messages.v1", owner="notify", partitions=6)

TOPICS = {topic.name: topic for topic in (DOSSIERS, ASSIGNMENTS, DEADLINES, CALENDARS, MESSAGES)}
"""Those that carry events."""

TALLIES = Topic("ops.tallies.v1", owner="ops", partitions=DOSSIERS.partitions, key="entry", compacted=True)
COURSES = Topic("ops.courses.v1", owner="ops", partitions=DOSSIERS.partitions, key="entry", compacted=True)

ALL_TOPICS = (*TOPICS.values(), TALLIES, COURSES)
"""Those that must stand before the services start: events, and the tables of the live views, which are drawn from them
and are partitioned like them."""
