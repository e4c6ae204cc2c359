"""The rule by which a partition's records take effect: next, duplicate, gap, fork, parked, behind.

No SQL and no await: it works on rows that the transaction has locked. The delivery model explores this very rule.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from shared.contracts.envelope import EventData, EventEnvelope
from shared.contracts.registry import UpgradeNeededError
from shared.contracts.topics import Topic
from shared.kernel.fence import Fence, Reading, read
from shared.messaging.quarantine import OperatorDecision, QuarantinedRecord
from shared.messaging.records import Record
from shared.postgres.pool import Connection
from shared.postgres.rows import Row, Table
from shared.postgres.unit_of_work import Unit

R = TypeVar("R", bound=Row)

Handler = Callable[[EventEnvelope[Any], Unit[R]], None]
"""What an event does to the locked rows: a pure decision. Whatever it raises parks the record."""


@dataclass(frozen=True)
class Stream(Generic[R]):
    """A topic that a service consumes: the table that keeps its fences, and what each event type does.

    A type without a handler only advances the fence; it is not even decoded. `locked` is awaited in each transaction
    once its rows are locked and before anything is decided: it may read what handlers go by, and writes nothing.
    """

    topic: Topic
    table: Table[R]
    handlers: Mapping[type[EventData], Handler[R]]
    locked: Callable[[Connection], Awaitable[None]] | None = None
    by_type: Mapping[str, Handler[R]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_type", {event.TYPE: handler for event, handler in self.handlers.items()})


class HandlingFailedError(Exception):
    """Decoding, a handler or storing failed on one record; the transaction is undone and the record parked instead."""

    def __init__(self, record: Record, cause: BaseException) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.record = record


@dataclass
class Applying(Generic[R]):
    """One transaction's way through records. `guilty` maps offsets known to fail to the reason why."""

    stream: Stream[R]
    unit: Unit[R]
    quarantined: dict[Any, list[QuarantinedRecord]]
    guilty: Mapping[tuple[int, int], str]
    kept: list[QuarantinedRecord] = field(default_factory=list)
    gone: list[QuarantinedRecord] = field(default_factory=list)
    parked: list[Record] = field(default_factory=list)
    applied: list[Record] = field(default_factory=list)

    def receive(self, record: Record) -> None:
        """Judge one record in offset order. Raises HandlingFailedError, UpgradeNeededError."""
        row = self.unit.row(record.key)
        row.partition = record.partition
        fence = row.fence(record.topic)
        reading = read(fence, record.sequence, record.epoch)
        waiting = self.quarantined.get(record.key, [])
        if reading is Reading.DUPLICATE or any(_place(item.record) == _place(record) for item in waiting):
            return
        blocker = _blocker(waiting)
        if blocker is not None:
            self._quarantine(
                row,
                QuarantinedRecord(
                    record, "behind", f"waits for offset {blocker.record.offset}, which is {blocker.reason}"
                ),
            )
        elif reading is not Reading.NEXT:
            self._quarantine(row, _waiting(record, reading, fence))
        elif _place(record) in self.guilty:
            self._park(row, record)
        else:
            self._apply(row, record)
            if waiting:
                self._drain(row)

    def decide(self, quarantined: QuarantinedRecord, decision: OperatorDecision) -> None:
        """Execute an operator's replay or discard, then let the quarantined records follow."""
        record = quarantined.record
        row = self.unit.row(record.key)
        self._release(record.key, quarantined)
        if decision == "replay" and _place(record) in self.guilty:
            self._park(row, record)
            return
        fence = row.fence(record.topic)
        if decision == "replay":
            self._apply(row, record)
        elif quarantined.reason == "parked":
            row.fences[record.topic] = Fence(record.sequence, record.epoch, fence.quarantined)
        self._drain(row)

    def _apply(self, row: R, record: Record) -> None:
        handler = self.stream.by_type.get(record.type)
        if handler is not None:
            try:
                envelope = record.event()
                handler(envelope, self.unit)
            except UpgradeNeededError:
                raise
            except Exception as error:
                raise HandlingFailedError(record, error) from error
        quarantined = bool(self.quarantined.get(record.key))
        row.fences[record.topic] = Fence(record.sequence, record.epoch, quarantined)
        self.applied.append(record)

    def _drain(self, row: R) -> None:
        """Let quarantined records follow in offset order, as far as the fence allows, each judged anew."""
        waiting = self.quarantined.get(row.key, [])
        topic = self.stream.topic.name
        while waiting and _blocker(waiting) is None:
            for item in waiting:
                fence = row.fence(topic)
                reading = read(fence, item.record.sequence, item.record.epoch)
                if reading is Reading.GAP:
                    continue
                self._release(row.key, item)
                if reading is Reading.FORK:
                    self._quarantine(row, _waiting(item.record, reading, fence))
                elif reading is Reading.NEXT and _place(item.record) in self.guilty:
                    self._park(row, item.record)
                elif reading is Reading.NEXT:
                    self._apply(row, item.record)
                waiting = self.quarantined.get(row.key, [])
                break
            else:
                break
        fence = row.fence(topic)
        row.fences[topic] = fence._replace(quarantined=bool(waiting))

    def _park(self, row: R, record: Record) -> None:
        self.parked.append(record)
        self._quarantine(row, QuarantinedRecord(record, "parked", self.guilty[_place(record)]))

    def _quarantine(self, row: R, item: QuarantinedRecord) -> None:
        self.quarantined.setdefault(row.key, []).append(item)
        self.gone = [other for other in self.gone if _place(other.record) != _place(item.record)]
        self.kept.append(item)
        topic = item.record.topic
        row.fences[topic] = row.fence(topic)._replace(quarantined=True)

    def _release(self, key: Any, item: QuarantinedRecord) -> None:
        self.quarantined[key] = [
            other for other in self.quarantined.get(key, []) if _place(other.record) != _place(item.record)
        ]
        self.kept = [other for other in self.kept if _place(other.record) != _place(item.record)]
        self.gone.append(item)


def _place(record: Record) -> tuple[int, int]:
    return record.partition, record.offset


def _blocker(waiting: Collection[QuarantinedRecord]) -> QuarantinedRecord | None:
    return next((item for item in waiting if item.blocks), None)


def _waiting(record: Record, reading: Reading, fence: Fence) -> QuarantinedRecord:
    if reading is Reading.GAP:
        return QuarantinedRecord(
            record, "gap", f"sequence {record.sequence} came after {fence.sequence}: what lies between is missing"
        )
    return QuarantinedRecord(
        record,
        "fork",
        f"sequence {record.sequence} of epoch {record.epoch} contradicts {fence.sequence} of epoch {fence.epoch}",
    )
