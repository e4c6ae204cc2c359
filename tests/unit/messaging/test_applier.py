"""How the records of a partition take effect: one rule per test."""

import pytest

from shared.contracts.registry import UpgradeNeededError
from shared.contracts.topics import DOSSIERS
from shared.kernel.fence import Fence
from shared.messaging.records import Record
from tests.support.delivery import dossier, record, step
from tests.unit.messaging.oracle import Service

A, B = dossier(1), dossier(2)


def steps(key_and_sequences: str) -> list[Record]:
    """`a1 a2 b1` as records, with offsets from 0."""
    keys = {"a": A, "b": B}
    return [
        record(DOSSIERS, step(keys[text[0]], int(text[1]), text), offset)
        for offset, text in enumerate(key_and_sequences.split())
    ]


def test_duplicate_is_dropped() -> None:
    """A second copy at another offset has no effect."""
    service = Service()
    service.receive(steps("a1 a2 a1 a2"))
    assert service.rows[A].steps == ["a1", "a2"]
    assert service.rows[A].fence(DOSSIERS.name) == Fence(2, 1, quarantined=False)
    assert service.quarantined == {}


def test_record_after_a_gap_is_quarantined_until_the_gap_closes() -> None:
    """A record after a gap is quarantined, and applied right after the missing record."""
    service = Service()
    first, second, third = steps("a1 a3 a2")
    service.receive([first, second])
    assert service.pending(A) == [(1, "gap")]
    assert service.quarantined[1].detail == "sequence 3 follows 1: the sequences between are missing"
    assert service.rows[A].fence(DOSSIERS.name) == Fence(1, 1, quarantined=True)
    service.receive([third])
    assert service.rows[A].steps == ["a1", "a2", "a3"]
    assert service.rows[A].fence(DOSSIERS.name) == Fence(3, 1, quarantined=False)
    assert service.quarantined == {}


def test_failing_record_blocks_only_its_dossier() -> None:
    """Later records of the dossier are blocked behind the parked one; those of other dossiers take effect."""
    service = Service(poison=["a2"])
    service.receive(steps("a1 b1 a2 b2 a3 b3"))
    assert service.rows[B].steps == ["b1", "b2", "b3"]
    assert service.rows[A].steps == ["a1"], "the changes of the failing handler are rolled back"
    assert service.pending(A) == [(2, "parked"), (4, "behind")]
    assert service.quarantined[2].detail == "RefusedError: a2"
    assert service.quarantined[4].detail == "blocked by offset 2, which is parked"


def test_replay_applies_the_parked_and_the_blocked_records() -> None:
    """A replay applies the parked record, then the blocked ones in order."""
    service = Service(poison=["a2"])
    service.receive(steps("a1 a2 a3"))
    service.decide(1, "replay")
    assert service.rows[A].steps == ["a1", "a2", "a3"]
    assert service.quarantined == {}


def test_discarded_record_is_skipped() -> None:
    """A discard advances the fence without effect, so that the successor is next."""
    service = Service(poison=["a2"])
    service.receive(steps("a1 a2 a3"))
    service.decide(1, "discard")
    assert service.rows[A].steps == ["a1", "a3"]
    assert service.rows[A].fence(DOSSIERS.name) == Fence(3, 1, quarantined=False)


def test_failing_replay_parks_the_record_again() -> None:
    """A failing replay applies nothing, and the operator can decide again."""
    service = Service(poison=["a2"])
    service.receive(steps("a1 a2 a3"))
    service.retry(1)
    assert service.rows[A].steps == ["a1"]
    assert service.pending(A) == [(1, "parked"), (2, "behind")]
    assert service.quarantined[1].request is None


def test_blocked_record_that_fails_is_parked() -> None:
    """Each blocked record is classified again when it is released."""
    service = Service(poison=["a1", "a3"])
    service.receive(steps("a1 a2 a3 a4"))
    service.decide(0, "replay")
    assert service.rows[A].steps == ["a1", "a2"]
    assert service.pending(A) == [(2, "parked"), (3, "behind")]


def test_fork_is_quarantined_with_its_successors() -> None:
    """A record of a later epoch with an old sequence needs a decision, and blocks its successors."""
    service = Service()
    events = [step(A, 1, "first"), step(A, 2, "second"), step(A, 2, "another", epoch=9), step(A, 3, "third", epoch=9)]
    service.receive([record(DOSSIERS, event, offset) for offset, event in enumerate(events)])
    assert service.rows[A].steps == ["first", "second"]
    assert service.pending(A) == [(2, "fork"), (3, "behind")]
    assert service.quarantined[2].detail == "sequence 2 of epoch 9 contradicts 2 of epoch 1"


def test_replayed_fork_sets_the_fence_to_its_epoch() -> None:
    """A replay of a fork sets the fence to its sequence and epoch, even if the sequence is lower."""
    service = Service()
    events = [step(A, 1), step(A, 2), step(A, 1, "again", epoch=9), step(A, 2, "then", epoch=9)]
    service.receive([record(DOSSIERS, event, offset) for offset, event in enumerate(events)])
    service.decide(2, "replay")
    assert service.rows[A].steps == ["1", "2", "again", "then"]
    assert service.rows[A].fence(DOSSIERS.name) == Fence(2, 9, quarantined=False)


def test_unknown_type_only_advances_the_fence() -> None:
    """A record of an unknown type is not decoded."""
    service = Service()
    first, second = steps("a1 a2")
    service.receive([first._replace(type="dossier.unheard_of", value=b"\xff"), second])
    assert service.rows[A].steps == ["a2"]


def test_later_version_stops_without_effect() -> None:
    """A later version needs an upgrade; nothing is parked, and nothing of the batch takes effect."""
    service = Service()
    first, second = steps("a1 a2")
    with pytest.raises(UpgradeNeededError, match=r"dossier\.step_recorded has version 2.*Upgrade this service"):
        service.receive([first, second._replace(version=2)])
    assert service.rows == {}
    assert service.quarantined == {}


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff\xfe", b"[" * 100_000], ids=["none", "empty", "binary", "deep"])
def test_undecodable_value_is_parked(value: bytes) -> None:
    """An undecodable value is parked, and blocks the later records of its key."""
    service = Service()
    first, second, third = steps("a1 a2 b1")
    service.receive([first._replace(value=value), second, third])
    assert service.pending(A) == [(0, "parked"), (1, "behind")]
    assert service.rows[B].steps == ["b1"]


def test_headers_that_contradict_the_value_are_poison() -> None:
    """Key and headers must be those of the event in the value."""
    service = Service()
    (first,) = steps("a1")
    service.receive([first._replace(value=step(B, 1).to_json())])
    assert service.pending(A) == [(0, "parked")]
    assert "key and headers are" in service.quarantined[0].detail


def test_row_stores_the_partition_of_its_last_record() -> None:
    """The row has the partition of its last record; tickers act only on partitions that they own."""
    service = Service()
    service.receive([steps("a1")[0]._replace(partition=5)])
    assert service.rows[A].partition == 5
