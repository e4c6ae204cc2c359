"""The rule by which the records of a partition take effect, are dropped, or are quarantined.

No SQL and no await: the rule works on rows that the transaction has locked.
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
    """A topic that a service consumes: the table whose rows contain the fences, and one handler per event type.

    A record of a type without a handler advances the fence only; it is not decoded. `after_lock` is called in each
    transaction after the rows are locked and before the first handler. It may read what handlers need, but must not
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
    """Decoding, handling or storing `record` failed. The caller rolls the transaction back and parks the record."""

    def __init__(self, record: Record, cause: BaseException) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}")
        self.record = record


@dataclass
class RecordApplier(Generic[R]):
    """Applies records to the rows of one transaction and collects what it must store. Stores nothing itself.

    `quarantined` are the quarantined records of the locked keys, in offset order. A record in `failures` is parked
    instead of applied. Afterwards, `added` and `removed` are the records to insert into and delete from the quarantine
    table; `parked` and `applied` are the records that were newly parked and that took effect.
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
        """Apply the record, ignore it as a duplicate, or quarantine it: if out of order, blocked, or in `failures`.

        Call it in offset order. Raises HandlingFailedError if the record, or a quarantined one that it releases, cannot
        be applied and is not in `failures` yet, and UpgradeNeededError for an event version of a later release.
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
        """Execute an operator's replay or discard of a quarantined record, then apply quarantined records behind it.

        They are applied as far as their sequences follow. Raises HandlingFailedError if a record cannot be applied, and
        UpgradeNeededError for an event version of a later release.
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
        """Take quarantined records of a row out of quarantine, in offset order, until one blocks or only gaps remain.

        Each is classified again: applied, dropped as a duplicate, parked, or quarantined as a fork.
        """
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
