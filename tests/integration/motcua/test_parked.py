"""`motcua parked`: an operator lists quarantined records and decides about them; the consumer executes the decision."""

import asyncio
from itertools import islice
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

import services
from motcua.cli import quarantine
from motcua.cli.errors import PlaceInvalidError, RecordNotQuarantinedError, RowInvalidError, RowNotSetAsideError
from motcua.cli.quarantine import (
    Place,
    RowName,
    decide,
    describe,
    describe_rows,
    describe_set_aside,
    find,
    release,
    rows_set_aside,
)
from motcua.local.database import SERVICES, grant_to_ops
from motcua.local.up import PendingDecisions
from shared.kernel.errors import Refusal
from shared.messaging.quarantine import OperatorDecision
from shared.postgres.migrate import migrate
from tests.support import Databases, ServiceDatabase

DOSSIER = UUID("018f2c5e-7b1a-7c3d-9e2f-0123456789ab")
PARKED = Place("intake.dossiers.v1", 3, 120)
BEHIND = Place("intake.dossiers.v1", 3, 121)
UNREADABLE = Place("intake.dossiers.v1", 3, 125)


@pytest.fixture
async def quarantined(database: Databases) -> ServiceDatabase:
    """sla with a parked record, one blocked behind it, and an unreadable one."""
    fresh = database.fresh()
    folder = Path(services.__path__[0]) / "sla" / "migrations"
    await asyncio.to_thread(migrate, fresh.url("sla"), "sla", folder)
    with psycopg.connect(fresh.url("sla")) as connection:
        for place, sequence, reason in ((PARKED, 4, "parked"), (BEHIND, 5, "behind"), (UNREADABLE, 0, "unreadable")):
            connection.execute(
                'insert into quarantined_records (topic, partition, "offset", key, sequence, epoch, id, type, version, '
                "value, reason, detail) "
                "values (%s, %s, %s, %s, %s, 1, 'i', 'dossier.settled', 1, %s, %s, 'ClockNotRunning')",
                (
                    place.topic,
                    place.partition,
                    place.offset,
                    str(DOSSIER) if reason != "unreadable" else "?",
                    sequence,
                    b'{"sequence": 4}',
                    reason,
                ),
            )
    return fresh


async def test_quarantined_records_are_listed(quarantined: ServiceDatabase) -> None:
    """Through the read-only role; a parked record comes before the records blocked behind it."""
    rows = await quarantine.quarantined(quarantined.url("verify"), "sla")
    assert [row["offset"] for row in rows][-1] == BEHIND.offset
    first, what, why = islice(describe_rows("sla", rows), 3)
    assert first == "sla intake.dossiers.v1/3/120"
    assert what == f"    dossier.settled #4 of {DOSSIER}"
    assert why.endswith("; parked: ClockNotRunning")


async def test_number_of_needed_decisions_is_reported_when_it_changes(database: Databases) -> None:
    """Each change is reported once; a blocked record needs no decision of its own."""
    fresh = database.fresh()
    for service in SERVICES:
        folder = Path(services.__path__[0]) / service / "migrations"
        await asyncio.to_thread(migrate, fresh.url(service), service, folder)
        grant_to_ops(fresh.server_url, service, database=fresh.name)
    decisions = PendingDecisions(fresh.url("ops"))
    assert decisions.changes() == []
    with psycopg.connect(fresh.url("sla"), autocommit=True) as connection:
        for offset, reason in ((1, "parked"), (2, "behind"), (3, "unreadable")):
            connection.execute(
                'insert into quarantined_records (topic, partition, "offset", key, sequence, epoch, id, type, version, '
                "value, reason, detail) values ('intake.dossiers.v1', 0, %s, 'k', 1, 1, 'i', 'x', 1, '', %s, '')",
                (offset, reason),
            )
        assert decisions.changes() == ["sla: 2 records need a decision; see `motcua parked list`."]
        assert decisions.changes() == []
        connection.execute("delete from quarantined_records")
        assert decisions.changes() == ["sla: no record needs a decision any more."]


async def test_record_is_shown_with_headers_and_value(quarantined: ServiceDatabase) -> None:
    """Place, dossier, reason and value are shown."""
    lines = describe(await find(quarantined.url("verify"), "sla", PARKED))
    assert lines[1] == f"key {DOSSIER}, sequence 4, epoch 1"
    assert lines[-1] == '{"sequence": 4}'


@pytest.mark.parametrize("decision", ["replay", "discard"])
async def test_decision_is_stored_with_its_author(quarantined: ServiceDatabase, decision: OperatorDecision) -> None:
    """The consumer finds the decision in the table, with the operator who made it."""
    await decide(quarantined.url("sla"), "sla", PARKED, decision, by="ops-1")
    with psycopg.connect(quarantined.url("sla")) as connection:
        row = connection.execute(
            'select request, requested_by, requested_at is not null from quarantined_records where "offset" = 120'
        ).fetchone()
    assert row == (decision, "ops-1", True)


async def test_decision_about_a_blocked_record_is_refused(quarantined: ServiceDatabase) -> None:
    """A decision is only possible about the record that blocks, so the order is preserved."""
    with pytest.raises(Refusal, match="Decide about the record that blocks it"):
        await decide(quarantined.url("sla"), "sla", BEHIND, "discard", by="ops-1")


async def test_unreadable_record_can_only_be_discarded(quarantined: ServiceDatabase) -> None:
    """An unreadable record cannot be applied."""
    with pytest.raises(Refusal, match="Discard it"):
        await decide(quarantined.url("sla"), "sla", UNREADABLE, "replay", by="ops-1")


async def test_row_that_is_set_aside_is_listed_and_released(quarantined: ServiceDatabase) -> None:
    """Through the read-only role; a second release is refused."""
    row = RowName.parse(f"dossiers/{DOSSIER}")
    with psycopg.connect(quarantined.url("sla")) as connection:
        connection.execute(
            "insert into set_aside_rows (table_name, key, worker, reason) "
            "values ('dossiers', %s, 'ticker', 'KeyError')",
            (DOSSIER,),
        )
    listed = await rows_set_aside(quarantined.url("verify"), "sla")
    first, why = describe_set_aside("sla", listed)
    assert (first, why.endswith("; KeyError")) == (f"sla dossiers/{DOSSIER}", True)
    await release(quarantined.url("sla"), "sla", row)
    assert await rows_set_aside(quarantined.url("verify"), "sla") == []
    with pytest.raises(RowNotSetAsideError, match="has not set aside"):
        await release(quarantined.url("sla"), "sla", row)


@pytest.mark.parametrize("text", ["", "dossiers", "dossiers/7"])
def test_incomplete_row_is_refused(text: str) -> None:
    """The message has an example of a row."""
    with pytest.raises(RowInvalidError, match="is not table/key"):
        RowName.parse(text)


async def test_record_that_is_not_quarantined_is_reported(quarantined: ServiceDatabase) -> None:
    """A decision may have been executed already."""
    with pytest.raises(RecordNotQuarantinedError, match="has no quarantined record"):
        await find(quarantined.url("verify"), "sla", Place("intake.dossiers.v1", 0, 1))


@pytest.mark.parametrize(
    "text", ["", "intake.dossiers.v1", "intake.dossiers.v1/3", "a/b/c", "a/1/-2", "a/1/2/3", "a/1/²"]
)
def test_incomplete_place_is_refused(text: str) -> None:
    """The message has an example of a place."""
    with pytest.raises(PlaceInvalidError, match="is not topic/partition/offset"):
        Place.parse(text)


@pytest.mark.parametrize("text", ["a/2147483648/1", "a/1/9223372036854775808"])
def test_place_beyond_the_limits_of_kafka_is_refused(text: str) -> None:
    """A partition or offset that is too large is refused before the database is queried."""
    with pytest.raises(PlaceInvalidError, match="is larger than Kafka allows"):
        Place.parse(text)
