"""The rule by which the records of a partition take effect: next, duplicate, gap, fork, parked, behind.

No SQL and no await: the rule works on rows that the transaction has locked. The delivery model explores this code's
rule exhaustively, and a test compares both.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from shared.contracts.envelope import EventData, EventEnvelope
from shared.contracts.registry import UpgradeNeededError
from shared.contracts.topics import Topic
from shared.kernel.fence import Classification, Fence, classify
from shared.messaging.quarantine import OperatorDecision, QuarantinedRecord
from shared.messaging.records import Record
from shared.postgres.pool import Connection
from shared.postgres.rows import Row, Table
from shared.postgres.unit_of_work import Unit

R = TypeVar("R", bound=Row)

Handler = Callable[[EventEnvelope[Any], Unit[R]], None]
"""Applies an event to the locked rows: a pure decision. Any exception that it raises parks the record."""

Failures = Mapping[tuple[int, int], str]
"""The records that are known to fail: partition and offset to the reason."""


@dataclass(frozen=True)
class Stream(Generic[R]):
    """A topic that a service consumes: the table that stores the fences, and one handler per event type.

    A record of a type without a handler only advances the fence; it is not decoded. `after_lock` runs in each
    transaction after the rows are locked and before the first handler; it may read what handlers need, and must not
    write.
    """

    topic: Topic
    table: Table[R]
    handlers: Mapping[type[EventData], Handler[R]]
    after_lock: Callable[[Connection], Awaitable[None]] | None = None
    by_type: Mapping[str, Handler[R]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_type", {event.TYPE: handler for event, handler in self.handlers.items()})


class HandlingFailedError(Exception):
    """Decoding, handling or storing one record failed. The transaction rolls back, then the record is parked."""

    def __init__(self, record: Record, cause: BaseException) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.record = record


@dataclass
class RecordApplier(Generic[R]):
    """Applies records within one transaction and collects what the transaction must store.

    `quarantined` are the quarantined records of the locked keys, in offset order. A record in `failures` is parked
    instead of applied. Results: `added` to and `removed` from the quarantine table, `parked` and `applied` records.
    """

    stream: Stream[R]
    unit: Unit[R]
    quarantined: dict[Any, list[QuarantinedRecord]]
    failures: Failures
    added: list[QuarantinedRecord] = field(default_factory=list)
    removed: list[QuarantinedRecord] = field(default_factory=list)
    parked: list[Record] = field(default_factory=list)
    applied: list[Record] = field(default_factory=list)

    def receive(self, record: Record) -> None:
        """Apply, drop or quarantine one record; call it in offset order.

        Raises HandlingFailedError if the record cannot be applied, UpgradeNeededError for an event version of a later
        release.
        """
        row = self.unit.row(record.key)
        row.partition = record.partition
        fence = row.fence(record.topic)
        classification = classify(fence, record.sequence, record.epoch)
        pending = self.quarantined.get(record.key, [])
        if classification is Classification.DUPLICATE or any(
            _position(item.record) == _position(record) for item in pending
        ):
            return
        blocker = _blocker(pending)
        if blocker is not None:
            detail = f"blocked by offset {blocker.record.offset}, which is {blocker.reason}"
            self._quarantine(row, QuarantinedRecord(record, "behind", detail))
        elif classification is not Classification.NEXT:
            self._quarantine(row, _out_of_order(record, classification, fence))
        elif _position(record) in self.failures:
            self._park(row, record)
        else:
            self._apply(row, record)
            if pending:
                self._drain(row)

    def decide(self, quarantined: QuarantinedRecord, decision: OperatorDecision) -> None:
        """Execute an operator's replay or discard, then apply the quarantined records that become next.

        Raises what `receive` raises.
        """
        record = quarantined.record
        row = self.unit.row(record.key)
        self._release(record.key, quarantined)
        if decision == "replay" and _position(record) in self.failures:
            self._park(row, record)
            return
        fence = row.fence(record.topic)
        if decision == "replay":
            self._apply(row, record)
        elif quarantined.reason == "parked":  # a discarded record counts as applied, so that its successor is next
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
        """Release the row's quarantined records in offset order, as far as the fence allows; classify each again."""
        pending = self.quarantined.get(row.key, [])
        topic = self.stream.topic.name
        while pending and _blocker(pending) is None:
            for item in pending:
                fence = row.fence(topic)
                classification = classify(fence, item.record.sequence, item.record.epoch)
                if classification is Classification.GAP:
                    continue
                self._release(row.key, item)
                if classification is Classification.FORK:
                    self._quarantine(row, _out_of_order(item.record, classification, fence))
                elif classification is Classification.NEXT and _position(item.record) in self.failures:
                    self._park(row, item.record)
                elif classification is Classification.NEXT:
                    self._apply(row, item.record)
                pending = self.quarantined.get(row.key, [])
                break
            else:
                break
        fence = row.fence(topic)
        row.fences[topic] = fence._replace(quarantined=bool(pending))

    def _park(self, row: R, record: Record) -> None:
        self.parked.append(record)
        self._quarantine(row, QuarantinedRecord(record, "parked", self.failures[_position(record)]))

    def _quarantine(self, row: R, item: QuarantinedRecord) -> None:
        self.quarantined.setdefault(row.key, []).append(item)
        self.removed = [other for other in self.removed if _position(other.record) != _position(item.record)]
        self.added.append(item)
        topic = item.record.topic
        row.fences[topic] = row.fence(topic)._replace(quarantined=True)

    def _release(self, key: Any, item: QuarantinedRecord) -> None:
        self.quarantined[key] = [
            other for other in self.quarantined.get(key, []) if _position(other.record) != _position(item.record)
        ]
        self.added = [other for other in self.added if _position(other.record) != _position(item.record)]
        self.removed.append(item)


def _position(record: Record) -> tuple[int, int]:
    return record.partition, record.offset


def _blocker(pending: Collection[QuarantinedRecord]) -> QuarantinedRecord | None:
    return next((item for item in pending if item.blocks), None)


def _out_of_order(record: Record, classification: Classification, fence: Fence) -> QuarantinedRecord:
    if classification is Classification.GAP:
        detail = f"sequence {record.sequence} follows {fence.sequence}: the sequences between are missing"
        return QuarantinedRecord(record, "gap", detail)
    detail = f"sequence {record.sequence} of epoch {record.epoch} contradicts {fence.sequence} of epoch {fence.epoch}"
    return QuarantinedRecord(record, "fork", detail)
