"""The live views are exact: after every failure they equal the count of one reader from the first record."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from functools import partial

import pytest

from motcua.local.embedded import kafka
from shared.contracts.topics import DOSSIERS, MESSAGES
from shared.messaging.records import headers, headers_of
from tests.support import eventually
from tests.support.dossier_events import MORNING, DossierEvents
from tests.support.ops import DossierProducer, Ops, expected_views
from tests.support.service_process import ROOT

Replicas = tuple[Ops, Ops]

pytestmark = pytest.mark.timeout(500)  # many process starts, on a machine with other load


async def test_unreadable_records_are_counted_and_stop_nothing(own_broker: kafka.Broker, replicas: Replicas) -> None:
    """Unreadable records and unknown event types between valid events are skipped, also without the database."""
    ops, _ = replicas
    await asyncio.to_thread(ops.start)
    async with DossierProducer(own_broker.bootstrap) as producer:
        await producer.send_dossiers(30)
        event = DossierEvents().submitted()
        await producer.send_raw(DOSSIERS.name, event.subject.encode(), b"\xff not JSON", headers_of(event))
        await producer.send_raw(MESSAGES.name, None, b"", [])
        await producer.send_raw(MESSAGES.name, b"key without value", None, [])
        await producer.send_raw(
            DOSSIERS.name, event.subject.encode(), b"\xff", headers("dossier.of_a_later_release", 7, 2, 1, "x")
        )
        await producer.send_dossiers(30, start=MORNING + timedelta(hours=3))
    expected = await expected_views(own_broker.bootstrap)
    await asyncio.to_thread(ops.shows, expected)
    assert expected["arrivals"]["total"] == 60
    assert expected["arrivals"]["unreadable"] == {DOSSIERS.name: 1, MESSAGES.name: 2}
    page = await asyncio.to_thread(ops.page)
    assert f"since the first record: 1 ({DOSSIERS.name})" in page
    assert "still being counted" not in page.lower()


async def test_restart_changes_no_count(own_broker: kafka.Broker, replicas: Replicas) -> None:
    """After an orderly stop under load, a new start recovers the counts from the changelog."""
    ops, _ = replicas
    await asyncio.to_thread(ops.start)
    async with DossierProducer(own_broker.bootstrap) as producer:
        flow = asyncio.create_task(producer.send_dossiers(250))
        await eventually(partial(asyncio.to_thread, ops.has_counted, 65), within=60)
        assert await asyncio.to_thread(ops.stop) == 0
        await asyncio.to_thread(ops.start)
        await flow
    await asyncio.to_thread(ops.shows, await expected_views(own_broker.bootstrap))


async def test_kill_changes_no_count(own_broker: kafka.Broker, replicas: Replicas) -> None:
    """After each kill -9 under load, written tallies are recognised and missing ones are added."""
    ops, _ = replicas
    async with DossierProducer(own_broker.bootstrap) as producer:
        flow = asyncio.create_task(producer.send_dossiers(250))
        for _ in range(3):
            await asyncio.to_thread(ops.start)
            await eventually(partial(asyncio.to_thread, ops.has_counted, 1), within=60)
            await asyncio.to_thread(ops.kill)
        await asyncio.to_thread(ops.start)
        await flow
    await asyncio.to_thread(ops.shows, await expected_views(own_broker.bootstrap))


async def test_broker_failure_changes_no_count(own_broker: kafka.Broker, replicas: Replicas) -> None:
    """Without the broker, ops is unready and retries, and continues when the broker is back."""
    ops, _ = replicas
    await asyncio.to_thread(ops.start)
    own_broker.kill()
    await eventually(lambda: bool({"views", "changelog"} & ops.reasons().keys()), within=60)
    await asyncio.to_thread(own_broker.start)
    async with DossierProducer(own_broker.bootstrap) as producer:
        await producer.send_dossiers(50)
    await asyncio.to_thread(ops.shows, await expected_views(own_broker.bootstrap))
    await eventually(ops.ready, within=60)


async def test_two_replicas_count_everything_when_one_dies(own_broker: kafka.Broker, replicas: Replicas) -> None:
    """Each of two replicas shows the counts of both, through the death and restart of one of them."""
    first, second = replicas
    async with DossierProducer(own_broker.bootstrap) as producer:
        await asyncio.to_thread(first.start)
        flow = asyncio.create_task(producer.send_dossiers(250))
        await asyncio.to_thread(second.start)
        await flow
        await asyncio.to_thread(first.shows, await expected_views(own_broker.bootstrap))
        await asyncio.to_thread(second.shows, await expected_views(own_broker.bootstrap))
        flow = asyncio.create_task(producer.send_dossiers(250, start=MORNING + timedelta(days=1)))
        await asyncio.to_thread(second.kill)
        await flow
        await asyncio.to_thread(first.shows, await expected_views(own_broker.bootstrap))
        flow = asyncio.create_task(producer.send_dossiers(250, start=MORNING + timedelta(days=2)))
        await asyncio.to_thread(second.start)
        await flow
    await asyncio.to_thread(second.shows, await expected_views(own_broker.bootstrap))
    await asyncio.to_thread(first.shows, await expected_views(own_broker.bootstrap))


async def test_rebuild_counts_every_event_again(own_broker: kafka.Broker, replicas: Replicas) -> None:
    """A rebuild is refused while a worker runs, and then counts from the first record, not the committed offset."""
    ops, _ = replicas
    async with DossierProducer(own_broker.bootstrap) as producer:
        await producer.send_dossiers(20, start=MORNING + timedelta(days=3))
    await asyncio.to_thread(ops.start)
    expected = await expected_views(own_broker.bootstrap)
    await asyncio.to_thread(ops.shows, expected)
    refused = await asyncio.to_thread(run_rebuild, ops)
    assert refused.returncode == 3
    assert "Stop ops first" in refused.stderr
    assert await asyncio.to_thread(ops.stop) == 0
    done = await asyncio.to_thread(run_rebuild, ops)
    assert done.returncode == 0, done.stderr
    await asyncio.to_thread(ops.start)
    await asyncio.to_thread(ops.shows, expected)


def run_rebuild(ops: Ops) -> "subprocess.CompletedProcess[str]":
    """Run `python -m services.ops rebuild` with the settings of a process."""
    command = [sys.executable, "-m", "services.ops", "rebuild"]
    environment = {"PATH": "/usr/bin", **ops.settings}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
