"""The topics: each a typed object with one writer, explicit partitions and the kind of its key."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Topic:
    """`owner` is the one service that writes; `key` says what its records are keyed (and sequenced) by."""

    name: str
    owner: Literal["intake", "routing", "sla", "notify"]
    partitions: int
    key: Literal["dossier", "calendar"] = "dossier"


DOSSIERS = Topic("intake.dossiers.v1", owner="intake", partitions=6)
ASSIGNMENTS = Topic("routing.assignments.v1", owner="routing", partitions=6)
DEADLINES = Topic("sla.deadlines.v1", owner="sla", partitions=6)
CALENDARS = Topic("sla.calendars.v1", owner="sla", partitions=1, key="calendar")
MESSAGES = Topic("notify.messages.v1", owner="notify", partitions=6)

TOPICS = {topic.name: topic for topic in (DOSSIERS, ASSIGNMENTS, DEADLINES, CALENDARS, MESSAGES)}
