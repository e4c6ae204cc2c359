"""What records do to the views: pure counting on tallies and courses that somebody else keeps.

Only the events named here are decoded; every other record merely moves the position.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from services.ops.domain.courses import Course, advance
from services.ops.domain.tallies import NOTHING, Key, Tally, window_of
from shared.contracts import dossiers, messages
from shared.contracts.envelope import AnyEnvelope, EventData
from shared.contracts.topics import DOSSIERS, MESSAGES, TOPICS
from shared.kernel.errors import PoisonMessageError
from shared.messaging.records import Record, parse

SOURCES = (DOSSIERS, MESSAGES)

_MOVING: tuple[type[EventData], ...] = (
    dossiers.DossierSubmittedV1,
    dossiers.DossierReceivedV1,
    dossiers.DossierRefusedV1,
    dossiers.DossierSupplementRequiredV1,
    dossiers.DossierSupplementReceivedV1,
    dossiers.DossierPaymentRequiredV1,
    dossiers.DossierPaidV1,
    dossiers.DossierTakenOverV1,
    dossiers.DossierSettledV1,
    dossiers.DossierReopenedV1,
    dossiers.DossierStoppedV1,
    dossiers.DossierWithdrawnV1,
    dossiers.DossierReturnedV1,
)
_OUTCOMES: Mapping[type[EventData], str] = {
    messages.MessagePlannedV1: "planned",
    messages.MessageSentV1: "sent",
    messages.MessageDeliveredV1: "delivered",
    messages.MessageFailedV1: "failed",
    messages.MessageUnknownV1: "unknown",
    messages.MessageDroppedV1: "dropped",
}
COUNTED = frozenset(event.TYPE for event in (*_MOVING, *_OUTCOMES))


class CourseKey(NamedTuple):
    """Whose course: a dossier's, on one topic and its partition there."""

    topic: str
    partition: int
    dossier: str


class Raw(Protocol):
    """A record as Kafka's clients give it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


def position_key(topic: str, partition: int) -> Key:
    """Under which a tally's `offset` is the next one to count; written when all before it is safe."""
    return Key("position", partition, 0, (topic,))


class Counting:
    """A batch of records on its way into the tables. `tallies` and `courses` are what the tables hold, and are only
    read. What changes is written in three steps, each when the one before is safe: `changed_tallies`,
    `changed_courses`, `changed_positions`.

    Whoever dies in between leaves tallies that know their offsets, and courses and positions as they were: the same
    records again add exactly what is missing.
    """

    def __init__(self, tallies: Mapping[Key, Tally], courses: Mapping[CourseKey, Course]) -> None:
        self._tallies = tallies
        self._courses = courses
        self.changed_tallies: dict[Key, Tally] = {}
        self.changed_courses: dict[CourseKey, Course] = {}
        self.changed_positions: dict[Key, Tally] = {}

    def position(self, topic: str, partition: int) -> int:
        """The next offset to count."""
        key = position_key(topic, partition)
        stands = self.changed_positions.get(key) or self._tallies.get(key)
        return stands.offset if stands else 0

    def receive(self, raw: Raw) -> bool:
        """Count one record, unless it is counted. False where it cannot be: one before it is not counted yet.

        One that cannot be read is counted as such. Raises UpgradeNeededError for a version from the future, and has
        then counted nothing of it.
        """
        position = self.position(raw.topic, raw.partition)
        if raw.offset == position:
            self._count_record(raw)
            self.changed_positions[position_key(raw.topic, raw.partition)] = Tally(raw.offset + 1)
        return raw.offset <= position

    def _count_record(self, raw: Raw) -> None:
        try:
            record = parse(TOPICS[raw.topic], raw)
            if record.type not in COUNTED:
                return
            envelope = record.event()
        except PoisonMessageError:
            self._count(Key("unreadable", raw.partition, 0, (raw.topic,)), raw.offset)
            return
        self._count_event(record, envelope)

    def _count_event(self, record: Record, envelope: AnyEnvelope) -> None:
        at = envelope.time.timestamp()
        data: Any = envelope.data
        place = CourseKey(record.topic, record.partition, str(record.key))
        course = self.changed_courses.get(place) or self._courses.get(place)
        if course is not None and record.sequence <= course.sequence:
            return  # a copy of it was counted: the relay, too, may send one twice
        state = data.state if record.topic == DOSSIERS.name else ""
        self.changed_courses[place], passages = advance(course, record.sequence, state, at)
        if isinstance(data, dossiers.DossierSubmittedV1):
            self._count(self._key(record, "arrivals", at, data.department or ""), record.offset)
        for passage in passages:
            key = self._key(record, "stages", at, passage.left, passage.entered)
            self._count(key, record.offset, passage.seconds)
        if outcome := _OUTCOMES.get(type(data)):
            self._count(self._key(record, "messages", at, data.channel, outcome), record.offset)

    def _key(self, record: Record, view: str, at: float, *what: str) -> Key:
        return Key(view, record.partition, window_of(view, at), what)

    def _count(self, key: Key, offset: int, seconds: float | None = None) -> None:
        """Once an offset: a tally that reflects it already was written before the process died."""
        tally = self.changed_tallies.get(key) or self._tallies.get(key) or NOTHING
        if offset > tally.offset:
            self.changed_tallies[key] = tally.plus(offset, seconds)
