"""How records of a partition take effect: plain cases, one rule each."""

import pytest

from shared.contracts.registry import UpgradeNeededError
from shared.contracts.topics import DOSSIERS
from shared.kernel.fence import Fence
from shared.messaging.records import Record
from tests.support.delivery import dossier, record, step
from tests.unit.messaging.oracle import Service

A, B = dossier(1), dossier(2)


def steps(key_and_sequences: str) -> list[Record]:
    """`a1 a2 b1` as records, offsets from 0."""
    keys = {"a": A, "b": B}
    return [
        record(DOSSIERS, step(keys[text[0]], int(text[1]), text), offset)
        for offset, text in enumerate(key_and_sequences.split())
    ]


def test_each_event_takes_effect_once() -> None:
    """A second copy at another offset changes nothing."""
    service = Service()
    service.receive(steps("a1 a2 a1 a2"))
    assert service.rows[A].steps == ["a1", "a2"]
    assert service.rows[A].fence(DOSSIERS.name) == Fence(2, 1, quarantined=False)
    assert service.quarantined == {}


def test_a_gap_waits_and_closes_by_itself() -> None:
    """The record after a gap is kept with what is missing, and follows at once when that comes."""
    service = Service()
    first, second, third = steps("a1 a3 a2")
    service.receive([first, second])
    assert service.waiting(A) == [(1, "gap")]
    assert service.quarantined[1].detail == "sequence 3 came after 1: what lies between is missing"
    assert service.rows[A].fence(DOSSIERS.name) == Fence(1, 1, quarantined=True)
    service.receive([third])
    assert service.rows[A].steps == ["a1", "a2", "a3"]
    assert service.rows[A].fence(DOSSIERS.name) == Fence(3, 1, quarantined=False)
    assert service.quarantined == {}


def test_only_the_guilty_dossier_is_parked() -> None:
    """In a batch that fails, its later records are quarantined behind it and everybody else's take effect."""
    service = Service(poison=["a2"])
    service.receive(steps("a1 b1 a2 b2 a3 b3"))
    assert service.rows[B].steps == ["b1", "b2", "b3"]
    assert service.rows[A].steps == ["a1"], "what the failing handler had written is undone"
    assert service.waiting(A) == [(2, "parked"), (4, "behind")]
    assert service.quarantined[2].detail == "RefusedError: a2"
    assert service.quarantined[4].detail == "waits for offset 2, which is parked"


def test_a_mended_replay_lets_the_rest_follow() -> None:
    """Replay applies the parked record and then those behind it, in their order."""
    service = Service(poison=["a2"])
    service.receive(steps("a1 a2 a3"))
    service.decide(1, "replay")
    assert service.rows[A].steps == ["a1", "a2", "a3"]
    assert service.quarantined == {}


def test_a_discarded_record_is_skipped() -> None:
    """Its effect never comes; the fence moves to it, so that the next one is next."""
    service = Service(poison=["a2"])
    service.receive(steps("a1 a2 a3"))
    service.decide(1, "discard")
    assert service.rows[A].steps == ["a1", "a3"]
    assert service.rows[A].fence(DOSSIERS.name) == Fence(3, 1, quarantined=False)


def test_a_replay_that_fails_again_parks_again() -> None:
    """Nothing follows, and the operator can decide anew."""
    service = Service(poison=["a2"])
    service.receive(steps("a1 a2 a3"))
    service.retry(1)
    assert service.rows[A].steps == ["a1"]
    assert service.waiting(A) == [(1, "parked"), (2, "behind")]
    assert service.quarantined[1].request is None


def test_what_follows_a_replay_may_itself_be_parked() -> None:
    """Each quarantined record is judged anew when its turn comes."""
    service = Service(poison=["a1", "a3"])
    service.receive(steps("a1 a2 a3 a4"))
    service.decide(0, "replay")
    assert service.rows[A].steps == ["a1", "a2"]
    assert service.waiting(A) == [(2, "parked"), (3, "behind")]


def test_a_fork_is_never_taken_in_silence() -> None:
    """A later life of the writer that tells an old sequence again waits for an operator, and so do its successors."""
    service = Service()
    life = [step(A, 1, "first"), step(A, 2, "second"), step(A, 2, "another", epoch=9), step(A, 3, "third", epoch=9)]
    service.receive([record(DOSSIERS, event, offset) for offset, event in enumerate(life)])
    assert service.rows[A].steps == ["first", "second"]
    assert service.waiting(A) == [(2, "fork"), (3, "behind")]
    assert service.quarantined[2].detail == "sequence 2 of epoch 9 contradicts 2 of epoch 1"


def test_replaying_a_fork_goes_on_in_its_life() -> None:
    """The fence becomes the fork's own, even downwards."""
    service = Service()
    life = [step(A, 1), step(A, 2), step(A, 1, "again", epoch=9), step(A, 2, "then", epoch=9)]
    service.receive([record(DOSSIERS, event, offset) for offset, event in enumerate(life)])
    service.decide(2, "replay")
    assert service.rows[A].steps == ["1", "2", "again", "then"]
    assert service.rows[A].fence(DOSSIERS.name) == Fence(2, 9, quarantined=False)


def test_an_unknown_type_only_moves_the_fence() -> None:
    """It is not even decoded: its bytes may be anything."""
    service = Service()
    first, second = steps("a1 a2")
    service.receive([first._replace(type="dossier.unheard_of", value=b"\xff"), second])
    assert service.rows[A].steps == ["a2"]


def test_a_version_from_the_future_stops_instead_of_parking() -> None:
    """The release is too old; the records are sound, and nothing of the batch takes effect."""
    service = Service()
    first, second = steps("a1 a2")
    with pytest.raises(UpgradeNeededError, match=r"dossier\.step_recorded arrived in version 2.*upgrade me"):
        service.receive([first, second._replace(version=2)])
    assert service.rows == {}
    assert service.quarantined == {}


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff\xfe", b"[" * 100_000], ids=["none", "empty", "binary", "deep"])
def test_a_value_that_nobody_can_read_is_parked(value: bytes) -> None:
    """The headers tell whose it is, so its successors wait behind it."""
    service = Service()
    first, second, third = steps("a1 a2 b1")
    service.receive([first._replace(value=value), second, third])
    assert service.waiting(A) == [(0, "parked"), (1, "behind")]
    assert service.rows[B].steps == ["b1"]


def test_headers_that_contradict_the_value_are_poison() -> None:
    """What the fence judges by and what takes effect must be one event."""
    service = Service()
    (first,) = steps("a1")
    service.receive([first._replace(value=step(B, 1).to_json())])
    assert service.waiting(A) == [(0, "parked")]
    assert "key and headers of" in service.quarantined[0].detail


def test_the_row_knows_its_partition() -> None:
    """Tickers ask for it: only the holder of the partition fires."""
    service = Service()
    service.receive([steps("a1")[0]._replace(partition=5)])
    assert service.rows[A].partition == 5
