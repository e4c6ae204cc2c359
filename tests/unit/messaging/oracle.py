"""The delivery model as an oracle, and our rule driven in the same way: a table in memory in the database's place."""

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
    """The model that the design was checked with; it lies beside the project, not in it."""
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
    """One consumer: rows and quarantined records survive a transaction only when it ends without an error."""

    def __init__(self, poison: Sequence[str] = ()) -> None:
        self.poison = set(poison)
        self.rows: dict[UUID, Tally] = {}
        self.quarantined: dict[int, QuarantinedRecord] = {}
        self.transactions = 0

    def receive(self, records: Sequence[Record]) -> None:
        """A batch in one transaction; if one fails, record by record, the guilty parked."""
        try:
            self._transact(records, {}, None)
        except HandlingFailedError:
            for record in records:
                self._until_done([record], None)

    def decide(self, offset: int, verdict: OperatorDecision) -> None:
        """What an operator asked for, after the fault was mended for that record."""
        self.poison.discard(activity(self.quarantined[offset].record))
        self._until_done([], (offset, verdict))

    def retry(self, offset: int) -> None:
        """A replay although nothing was mended."""
        self._until_done([], (offset, "replay"))

    def _until_done(self, records: Sequence[Record], verdict: tuple[int, OperatorDecision] | None) -> None:
        guilty: dict[tuple[int, int], str] = {}
        while True:
            try:
                self._transact(records, guilty, verdict)
            except HandlingFailedError as error:
                guilty[error.record.partition, error.record.offset] = str(error)
            else:
                return

    def _transact(
        self,
        records: Sequence[Record],
        guilty: Mapping[tuple[int, int], str],
        verdict: tuple[int, OperatorDecision] | None,
    ) -> None:
        self.transactions += 1
        keys = {record.key for record in records} | ({self.quarantined[verdict[0]].record.key} if verdict else set())
        rows = {key: deepcopy(self.rows[key]) for key in keys if key in self.rows}
        waiting: dict[Any, list[QuarantinedRecord]] = {}
        for _, item in sorted(self.quarantined.items()):
            if item.record.key in rows and rows[item.record.key].fence(DOSSIERS.name).quarantined:
                waiting.setdefault(item.record.key, []).append(item)
        on_step = counting(refuses=self.poison.__contains__)
        stream = Stream(topic=DOSSIERS, table=TALLIES, handlers={DossierStepRecordedV1: on_step})
        applier = RecordApplier(stream, Unit(TALLIES, rows, publisher("sla"), MOMENT), waiting, guilty)
        for record in records:
            applier.receive(record)
        if verdict:
            applier.decide(self.quarantined[verdict[0]], verdict[1])
        self.rows |= rows
        for item in applier.removed:
            self.quarantined.pop(item.record.offset, None)
        self.quarantined |= {item.record.offset: item for item in applier.added}

    def waiting(self, key: UUID) -> list[tuple[int, str]]:
        """Offsets of a dossier's quarantined records with the reasons, in offset order."""
        return [(offset, item.reason) for offset, item in sorted(self.quarantined.items()) if item.record.key == key]


def activity(record: Record) -> str:
    """What a record would add to its row."""
    text: str = record.event().data.activity  # type: ignore[attr-defined]  # every record here is a recorded step
    return text
