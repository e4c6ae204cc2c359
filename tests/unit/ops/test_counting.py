"""Counting is exact: wherever a worker dies, whatever it reads again, the tables end as if nothing had happened."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.counting import Counting, CourseKey
from services.ops.domain.courses import Course
from services.ops.domain.tallies import Key, Tally
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.registry import UpgradeNeededError
from shared.messaging.records import headers_of
from tests.support.dossier_events import DossierEvents


@dataclass(frozen=True)
class Raw:
    """A record as a client of Kafka gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


def raw(event: AnyEnvelope, offset: int, partition: int = 0) -> Raw:
    """An event's record."""
    return Raw(event.data.TOPIC, partition, offset, event.subject.encode(), event.to_json(), headers_of(event))


@dataclass
class Tables:
    """What has reached Kafka."""

    tallies: dict[Key, Tally] = field(default_factory=dict)
    courses: dict[CourseKey, Course] = field(default_factory=dict)

    def take_in(self, records: Sequence[Raw], *, reaching: float = 3.0) -> None:
        """Count a batch whose worker dies on its way: of three steps of writing so much reaches Kafka."""
        counting = Counting(dict(self.tallies), dict(self.courses))
        for record in records:
            assert counting.receive(record)
        steps: list[tuple[dict[Any, Any], dict[Any, Any]]] = [
            (self.tallies, counting.changed_tallies),
            (self.courses, counting.changed_courses),
            (self.tallies, counting.changed_positions),
        ]
        for number, (table, changed) in enumerate(steps):
            share = min(1.0, max(0.0, reaching - number))
            entries = list(changed.items())
            table.update(entries[: round(share * len(entries))])
            if share < 1:
                return


def lives() -> list[Raw]:
    """Events of five dossiers in turn, on two partitions, some of them twice, and one that nobody can read."""
    told = [DossierEvents() for _ in range(5)]
    events = [[one.submitted(department="STP"), one.received()] for one in told]
    for number, one in enumerate(told):
        if number % 2:
            events[number] += [one.in_state("supplement_required"), events[number][0]]
        events[number] += [one.in_state("settled"), one.in_state("returned")]
    records: list[Raw] = []
    ends = [0, 0]
    for place in range(6):
        for number, life in enumerate(events):
            if place < len(life):
                partition = number % 2
                records.append(raw(life[place], ends[partition], partition))
                ends[partition] += 1
    return [*records, Raw("notify.messages.v1", 0, 0, None, b"", ())]


LIVES = lives()


def uninterrupted() -> Tables:
    """All in one go."""
    tables = Tables()
    tables.take_in(LIVES)
    return tables


DEATHS = st.tuples(st.integers(1, len(LIVES)), st.sampled_from([0.0, 0.3, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0]), st.booleans())
"""How many records the batch has, how far its writing gets, and whether it is read from the very first record on."""


@given(st.lists(DEATHS, max_size=12))
def test_a_worker_may_die_anywhere(deaths: list[tuple[int, float, bool]]) -> None:
    """Cut off in any of its three writes; the next worker reads on where the position is, or from before."""
    tables = Tables()
    for size, reaching, from_zero in [*deaths, (len(LIVES), 3.0, False)]:
        counting = Counting(tables.tallies, tables.courses)
        left = [one for one in LIVES if one.offset >= counting.position(one.topic, one.partition)]
        batch = left[:size]
        tables.take_in([one for one in LIVES if one in batch or (from_zero and one not in left)], reaching=reaching)
    assert tables == uninterrupted()


def test_what_comes_too_early_is_not_counted() -> None:
    """A record after a hole would be counted without the one before it, for ever."""
    counting = Counting({}, {})
    assert not counting.receive(LIVES[2])
    assert counting.changed_positions == {}
    assert counting.receive(LIVES[0])
    assert counting.receive(LIVES[2])


def test_another_partition_has_tallies_of_its_own() -> None:
    """Each stands in the changelog of its source partition; whoever shows them adds them up."""
    arrivals = {key: tally.count for key, tally in uninterrupted().tallies.items() if key.view == "arrivals"}
    assert [(key.partition, count) for key, count in arrivals.items()] == [(0, 3), (1, 2)]


def test_what_nobody_can_read_is_counted_as_such() -> None:
    """On its topic, and the position moves on."""
    tables = uninterrupted()
    assert tables.tallies[Key("unreadable", 0, 0, ("notify.messages.v1",))].count == 1
    assert Counting(tables.tallies, {}).position("notify.messages.v1", 0) == 1


def test_a_type_of_a_later_release_only_moves_the_position() -> None:
    """It is not even decoded."""
    event = DossierEvents().submitted()
    unheard = [(name, b"dossier.unheard_of" if name == "type" else value) for name, value in headers_of(event)]
    counting = Counting({}, {})
    assert counting.receive(Raw(event.data.TOPIC, 0, 0, event.subject.encode(), b"\xff", unheard))
    assert counting.changed_tallies == {}
    assert counting.position(event.data.TOPIC, 0) == 1


def test_a_version_of_a_later_release_is_not_passed_over() -> None:
    """Counted wrongly, or not at all, it could never be mended; so nothing of it is, and the position stays."""
    event = DossierEvents().submitted()
    newer = [(name, b"2" if name == "version" else value) for name, value in headers_of(event)]
    counting = Counting({}, {})
    with pytest.raises(UpgradeNeededError, match="upgrade me"):
        counting.receive(Raw(event.data.TOPIC, 0, 0, event.subject.encode(), event.to_json(), newer))
    assert (counting.changed_tallies, counting.changed_courses, counting.changed_positions) == ({}, {}, {})
