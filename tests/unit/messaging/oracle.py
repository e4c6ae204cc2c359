"""The delivery model as an oracle, and an in-memory service that applies records by the production rule."""

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from shared.contracts.dossiers import DossierStepRecordedV1
from shared.contracts.topics import DOSSIERS
from shared.messaging.applier import HandlingFailedError, RecordApplier, Stream
from shared.messaging.quarantine import OperatorDecision, QuarantinedRecord
from shared.messaging.records import Record
from shared.postgres.unit_of_work import Unit
from tests.support.delivery import MOMENT, TALLIES, Tally, counting, publisher

MODEL = Path(__file__).resolve().parents[4] / "shared" / "model" / "protocol.py"


def load_model() -> ModuleType | None:
    """The delivery model, if it is next to the project; it is not part of it."""
    if not MODEL.exists():
        return None
    spec = importlib.util.spec_from_file_location("delivery_model", MODEL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["delivery_model"] = module
    spec.loader.exec_module(module)
    return module


class Service:
    """A consumer in memory: rows and quarantined records change only if a transaction ends without an error."""

    def __init__(self, poison: Sequence[str] = ()) -> None:
        self.poison = set(poison)
        self.rows: dict[UUID, Tally] = {}
        self.quarantined: dict[int, QuarantinedRecord] = {}
        self.transactions = 0

    def receive(self, records: Sequence[Record]) -> None:
        """Apply a batch in one transaction; if a record fails, one by one, and park the failing record."""
        try:
            self._transact(records, {}, None)
        except HandlingFailedError:
            for record in records:
                self._park_failures([record], None)

    def decide(self, offset: int, decision: OperatorDecision) -> None:
        """Correct the fault of a quarantined record, then execute an operator's decision about it."""
        self.poison.discard(activity(self.quarantined[offset].record))
        self._park_failures([], (offset, decision))

    def retry(self, offset: int) -> None:
        """Replay a record whose fault is not corrected."""
        self._park_failures([], (offset, "replay"))

    def _park_failures(self, records: Sequence[Record], decision: tuple[int, OperatorDecision] | None) -> None:
        failures: dict[tuple[int, int], str] = {}
        while True:
            try:
                self._transact(records, failures, decision)
            except HandlingFailedError as error:
                failures[error.record.partition, error.record.offset] = str(error)
            else:
                return

    def _transact(
        self,
        records: Sequence[Record],
        failures: Mapping[tuple[int, int], str],
        decision: tuple[int, OperatorDecision] | None,
    ) -> None:
        self.transactions += 1
        keys = {record.key for record in records} | ({self.quarantined[decision[0]].record.key} if decision else set())
        rows = {key: deepcopy(self.rows[key]) for key in keys if key in self.rows}
        pending: dict[Any, list[QuarantinedRecord]] = {}
        for _, item in sorted(self.quarantined.items()):
            if item.record.key in rows and rows[item.record.key].fence(DOSSIERS.name).quarantined:
                pending.setdefault(item.record.key, []).append(item)
        on_step = counting(refuses=self.poison.__contains__)
        stream = Stream(topic=DOSSIERS, table=TALLIES, handlers={DossierStepRecordedV1: on_step})
        applier = RecordApplier(stream, Unit(TALLIES, rows, publisher("sla"), MOMENT), pending, failures)
        for record in records:
            applier.receive(record)
        if decision:
            applier.decide(self.quarantined[decision[0]], decision[1])
        self.rows |= rows
        for item in applier.removed:
            self.quarantined.pop(item.record.offset, None)
        self.quarantined |= {item.record.offset: item for item in applier.added}

    def pending(self, key: UUID) -> list[tuple[int, str]]:
        """Offset and reason of a dossier's quarantined records, in offset order."""
        return [(offset, item.reason) for offset, item in sorted(self.quarantined.items()) if item.record.key == key]


def activity(record: Record) -> str:
    """The activity of a record, which takes effect in its row."""
    text: str = record.event().data.activity  # type: ignore[attr-defined]  # every record here is a recorded step
    return text
