"""Apply batches of records to the tallies and courses: pure functions of loaded state, which write nothing.

Only the events in HANDLERS are decoded. Every other record advances the position and nothing else.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from services.ops.domain.courses import Course, advance
from services.ops.domain.tallies import EMPTY, Tally, TallyKey, window_of
from shared.contracts import dossiers, messages
from shared.contracts.envelope import AnyEnvelope, EventData
from shared.contracts.topics import DOSSIERS, MESSAGES, TOPICS
from shared.kernel.errors import PoisonMessageError
from shared.messaging.records import Record, parse

SOURCES = (DOSSIERS, MESSAGES)
"""The topics that the views count."""


class Increment(NamedTuple):
    """One count to add to the tally with these labels in a view; `seconds` is its duration, None without durations."""

    view: str
    labels: tuple[str, ...]
    seconds: float | None = None


Handler = Callable[[Any], list[Increment]]
"""Returns what an event's data adds to the views, apart from the stage durations, which every dossier event adds."""


def on_dossier_submitted(data: dossiers.DossierSubmittedV1) -> list[Increment]:
    """Return one arrival for the competent department; the label is empty if intake has not determined it yet."""
    return [Increment("arrivals", (data.department or "",))]


def on_state_change(_: EventData) -> list[Increment]:
    """Return nothing to add: the event changes the dossier's state, and stage durations are counted for every event."""
    return []


def on_message(outcome: str) -> Handler:
    """Return the handler of the event with this outcome, which counts it by the message's channel."""

    def handler(data: Any) -> list[Increment]:
        return [Increment("messages", (data.channel, outcome))]

    return handler


HANDLERS: Mapping[type[EventData], Handler] = {
    dossiers.DossierSubmittedV1: on_dossier_submitted,
    dossiers.DossierReceivedV1: on_state_change,
    dossiers.DossierRefusedV1: on_state_change,
    dossiers.DossierSupplementRequiredV1: on_state_change,
    dossiers.DossierSupplementReceivedV1: on_state_change,
    dossiers.DossierPaymentRequiredV1: on_state_change,
    dossiers.DossierPaidV1: on_state_change,
    dossiers.DossierTakenOverV1: on_state_change,
    dossiers.DossierSettledV1: on_state_change,
    dossiers.DossierReopenedV1: on_state_change,
    dossiers.DossierStoppedV1: on_state_change,
    dossiers.DossierWithdrawnV1: on_state_change,
    dossiers.DossierReturnedV1: on_state_change,
    messages.MessagePlannedV1: on_message("planned"),
    messages.MessageSentV1: on_message("sent"),
    messages.MessageDeliveredV1: on_message("delivered"),
    messages.MessageFailedV1: on_message("failed"),
    messages.MessageUnknownV1: on_message("unknown"),
    messages.MessageDroppedV1: on_message("dropped"),
}
IGNORED: frozenset[type[EventData]] = frozenset(
    {
        dossiers.DossierContactCorrectedV1,
        dossiers.DossierExtendedV1,
        dossiers.DossierHandedOverV1,
        dossiers.DossierReceivedElsewhereV1,
        dossiers.DossierResultArrivedV1,
        dossiers.DossierStepBegunV1,
        dossiers.DossierStepRecordedV1,
    }
)
"""The event types of SOURCES without a handler: they do not change the state of a dossier."""
HANDLED_TYPES = frozenset(event.TYPE for event in HANDLERS)


class CourseKey(NamedTuple):
    """The key of a course in its table: the dossier, and the topic and partition of the dossier's events."""

    topic: str
    partition: int
    dossier: str


class RawRecord(Protocol):
    """A record as a Kafka client returns it: the members that counting needs."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


def position_key(topic: str, partition: int) -> TallyKey:
    """Return the key of the tally that stores the position on a source partition: its `offset` is the next to apply."""
    return TallyKey("position", partition, 0, (topic,))


class ViewUpdate:
    """Collects, in memory, the changes that one batch of records makes to the tables; the worker writes them.

    `tallies` and `courses` are the content of the tables, which is only read. The worker writes the changes in three
    steps, each after Kafka has acknowledged the one before: `changed_tallies`, `changed_courses`, `changed_positions`.
    If a worker dies between the steps, the written tallies contain the offsets that they reflect, and the position is
    unchanged. Applying the same records again therefore adds exactly what is missing.
    """

    def __init__(self, tallies: Mapping[TallyKey, Tally], courses: Mapping[CourseKey, Course]) -> None:
        self._tallies = tallies
        self._courses = courses
        self.changed_tallies: dict[TallyKey, Tally] = {}
        self.changed_courses: dict[CourseKey, Course] = {}
        self.changed_positions: dict[TallyKey, Tally] = {}

    def position(self, topic: str, partition: int) -> int:
        """Return the next offset to apply on a source partition, with the records of this batch applied so far."""
        key = position_key(topic, partition)
        current = self.changed_positions.get(key) or self._tallies.get(key)
        return current.offset if current else 0

    def apply(self, raw: RawRecord) -> bool:
        """Apply one record, and return True; also if it is already applied, which changes nothing.

        Return False and change nothing if an earlier record of the partition is not applied yet. A record that cannot
        be decoded is counted as unreadable. Raises UpgradeNeededError for an event version of a later release, and then
        changes nothing.
        """
        position = self.position(raw.topic, raw.partition)
        if raw.offset == position:
            self._apply_record(raw)
            self.changed_positions[position_key(raw.topic, raw.partition)] = Tally(raw.offset + 1)
        return raw.offset <= position

    def _apply_record(self, raw: RawRecord) -> None:
        try:
            record = parse(TOPICS[raw.topic], raw)
            if record.type not in HANDLED_TYPES:
                return
            envelope = record.event()
        except PoisonMessageError:
            self._add(TallyKey("unreadable", raw.partition, 0, (raw.topic,)), raw.offset)
            return
        self._apply_event(record, envelope)

    def _apply_event(self, record: Record, envelope: AnyEnvelope) -> None:
        at = envelope.time.timestamp()
        key = CourseKey(record.topic, record.partition, str(record.key))
        course = self.changed_courses.get(key) or self._courses.get(key)
        if course is not None and record.sequence <= course.sequence:
            return  # a duplicate: the relay may send an event twice
        data: Any = envelope.data
        state = data.state if record.topic == DOSSIERS.name else ""
        self.changed_courses[key], transitions = advance(course, record.sequence, state, at)
        durations = [Increment("stages", (one.left, one.entered), one.seconds) for one in transitions]
        for view, labels, seconds in [*HANDLERS[type(data)](data), *durations]:
            self._add(TallyKey(view, record.partition, window_of(view, at), labels), record.offset, seconds)

    def _add(self, key: TallyKey, offset: int, seconds: float | None = None) -> None:
        """Add a record to a tally, unless the tally already reflects the record's offset.

        It does if it was written before a worker died, which left the position unchanged.
        """
        tally = self.changed_tallies.get(key) or self._tallies.get(key) or EMPTY
        if offset > tally.offset:
            self.changed_tallies[key] = tally.add(offset, seconds)
