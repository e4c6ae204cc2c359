"""The topics of Kafka: each has one writing service, a fixed number of partitions, and a kind of record key."""

from dataclasses import dataclass
from typing import Literal

Service = Literal["intake", "routing", "sla", "notify", "ops"]


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic. The service `owner` is its only writer; `readers` are the services that consume it.

    `key` is what a record's key identifies; the events of each key are numbered by `sequence`. A `compacted` topic is
    the changelog of a table: only the last record of each key is retained.
    """

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
"""The topics with events."""

TALLIES = Topic("ops.tallies.v1", owner="ops", partitions=DOSSIERS.partitions, key="entry", compacted=True)
COURSES = Topic("ops.courses.v1", owner="ops", partitions=DOSSIERS.partitions, key="entry", compacted=True)

ALL_TOPICS = (*TOPICS.values(), TALLIES, COURSES)
"""The topics that must exist before the services start: those with events, and the tables of the live views, which are
derived from events and partitioned like them."""
