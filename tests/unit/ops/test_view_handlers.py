"""Views are exact: a worker that dies at any point and reads records again leaves the same tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.domain.courses import Course
from services.ops.domain.tallies import Tally, TallyKey
from services.ops.views.handlers import CourseKey, ViewUpdate
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.registry import UpgradeNeededError
from shared.messaging.records import headers_of
from tests.support.dossier_events import DossierEvents


@dataclass(frozen=True)
class Raw:
    """A record of a Kafka client."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


def raw(event: AnyEnvelope, offset: int, partition: int = 0) -> Raw:
    """Return the record of an event."""
    return Raw(event.data.TOPIC, partition, offset, event.subject.encode(), event.to_json(), headers_of(event))


@dataclass
class Tables:
    """The content of the tables that has reached Kafka."""

    tallies: dict[TallyKey, Tally] = field(default_factory=dict)
    courses: dict[CourseKey, Course] = field(default_factory=dict)

    def apply(self, records: Sequence[Raw], *, reaching: float = 3.0) -> None:
        """Apply a batch whose worker dies after `reaching` of its three writes."""
        update = ViewUpdate(dict(self.tallies), dict(self.courses))
        for record in records:
            assert update.apply(record)
        steps: list[tuple[dict[Any, Any], dict[Any, Any]]] = [
            (self.tallies, update.changed_tallies),
            (self.courses, update.changed_courses),
            (self.tallies, update.changed_positions),
        ]
        for number, (table, changed) in enumerate(steps):
            share = min(1.0, max(0.0, reaching - number))
            entries = list(changed.items())
            table.update(entries[: round(share * len(entries))])
            if share < 1:
                return


def records_of_five_dossiers() -> list[Raw]:
    """Return events of five dossiers on two partitions, interleaved, with duplicates and an unreadable record."""
    dossiers = [DossierEvents() for _ in range(5)]
    events = [[one.submitted(department="STP"), one.received()] for one in dossiers]
    for number, one in enumerate(dossiers):
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


RECORDS = records_of_five_dossiers()


def uninterrupted() -> Tables:
    """Return the tables after one batch without a failure."""
    tables = Tables()
    tables.apply(RECORDS)
    return tables


DEATHS = st.tuples(
    st.integers(1, len(RECORDS)), st.sampled_from([0.0, 0.3, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0]), st.booleans()
)
"""The size of the batch, the number of writes, and whether it starts at the first record."""


@given(st.lists(DEATHS, max_size=12))
def test_worker_that_dies_in_any_write_changes_nothing(deaths: list[tuple[int, float, bool]]) -> None:
    """A worker may die in any of its three writes; the next one continues at the position or before it."""
    tables = Tables()
    for size, reaching, from_zero in [*deaths, (len(RECORDS), 3.0, False)]:
        update = ViewUpdate(tables.tallies, tables.courses)
        left = [one for one in RECORDS if one.offset >= update.position(one.topic, one.partition)]
        batch = left[:size]
        tables.apply([one for one in RECORDS if one in batch or (from_zero and one not in left)], reaching=reaching)
    assert tables == uninterrupted()


def test_record_after_a_hole_is_not_counted() -> None:
    """A record beyond the position is not applied, since the records before it would never be counted."""
    update = ViewUpdate({}, {})
    assert not update.apply(RECORDS[2])
    assert update.changed_positions == {}
    assert update.apply(RECORDS[0])
    assert update.apply(RECORDS[2])


def test_each_partition_has_its_own_tallies() -> None:
    """A tally belongs to the changelog partition of its source partition; readers merge them."""
    arrivals = {key: tally.count for key, tally in uninterrupted().tallies.items() if key.view == "arrivals"}
    assert [(key.partition, count) for key, count in arrivals.items()] == [(0, 3), (1, 2)]


def test_unreadable_record_is_counted_as_unreadable() -> None:
    """An unreadable record is counted for its topic, and the position advances."""
    tables = uninterrupted()
    assert tables.tallies[TallyKey("unreadable", 0, 0, ("notify.messages.v1",))].count == 1
    assert ViewUpdate(tables.tallies, {}).position("notify.messages.v1", 0) == 1


def test_unknown_event_type_only_advances_the_position() -> None:
    """An event type of a later release is not decoded."""
    event = DossierEvents().submitted()
    unknown = [(name, b"dossier.of_a_later_release" if name == "type" else value) for name, value in headers_of(event)]
    update = ViewUpdate({}, {})
    assert update.apply(Raw(event.data.TOPIC, 0, 0, event.subject.encode(), b"\xff", unknown))
    assert update.changed_tallies == {}
    assert update.position(event.data.TOPIC, 0) == 1


def test_event_version_of_a_later_release_stops_the_count() -> None:
    """An event version of a later release changes nothing, not even the position, so it is counted after an upgrade."""
    event = DossierEvents().submitted()
    newer = [(name, b"2" if name == "version" else value) for name, value in headers_of(event)]
    update = ViewUpdate({}, {})
    with pytest.raises(UpgradeNeededError, match="version 2"):
        update.apply(Raw(event.data.TOPIC, 0, 0, event.subject.encode(), event.to_json(), newer))
    assert (update.changed_tallies, update.changed_courses, update.changed_positions) == ({}, {}, {})
