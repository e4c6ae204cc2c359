"""The live views are exact: whatever dies, restarts, shares or reads twice, they are what one reader counts."""

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
from tests.support.ops import Ops, Sent, counted_from_zero
from tests.support.service_process import ROOT

Two = tuple[Ops, Ops]

pytestmark = pytest.mark.timeout(500)  # processes that start again and again, on a machine that may be busy


async def test_what_cannot_be_read_is_counted_and_stops_nothing(own_broker: kafka.Broker, two: Two) -> None:
    """Bytes that are no event, a record without key, value or headers, and a type of a later release, amid good ones;
    the database is not there all the while."""
    ops, _ = two
    await asyncio.to_thread(ops.start)
    async with Sent(own_broker.bootstrap) as sent:
        await sent.lives(30)
        event = DossierEvents().submitted()
        await sent.raw(DOSSIERS.name, event.subject.encode(), b"\xff not JSON", headers_of(event))
        await sent.raw(MESSAGES.name, None, b"", [])
        await sent.raw(MESSAGES.name, b"key without value", None, [])
        await sent.raw(DOSSIERS.name, event.subject.encode(), b"\xff", headers("dossier.unheard_of", 7, 2, 1, "x"))
        await sent.lives(30, start=MORNING + timedelta(hours=3))
    expected = await counted_from_zero(own_broker.bootstrap)
    await asyncio.to_thread(ops.shows, expected)
    assert expected["arrivals"]["total"] == 60
    assert expected["arrivals"]["unreadable"] == {DOSSIERS.name: 1, MESSAGES.name: 2}
    page = await asyncio.to_thread(ops.page)
    assert f"since the beginning: 1 ({DOSSIERS.name})" in page
    assert "still being counted" not in page.lower()


async def test_restarts_change_nothing(own_broker: kafka.Broker, two: Two) -> None:
    """Stopped in order in mid-flow, and started again: what it had counted comes back from the changelog."""
    ops, _ = two
    await asyncio.to_thread(ops.start)
    async with Sent(own_broker.bootstrap) as sent:
        flow = asyncio.create_task(sent.lives(250))
        await eventually(partial(asyncio.to_thread, ops.has_counted, 65), within=60)
        assert await asyncio.to_thread(ops.stop) == 0
        await asyncio.to_thread(ops.start)
        await flow
    await asyncio.to_thread(ops.shows, await counted_from_zero(own_broker.bootstrap))


async def test_kills_change_nothing(own_broker: kafka.Broker, two: Two) -> None:
    """kill -9 in mid-flow, again and again: what was half written is recognised, what was not is counted."""
    ops, _ = two
    async with Sent(own_broker.bootstrap) as sent:
        flow = asyncio.create_task(sent.lives(250))
        for _ in range(3):
            await asyncio.to_thread(ops.start)
            await eventually(partial(asyncio.to_thread, ops.has_counted, 1), within=60)
            await asyncio.to_thread(ops.kill)
        await asyncio.to_thread(ops.start)
        await flow
    await asyncio.to_thread(ops.shows, await counted_from_zero(own_broker.bootstrap))


async def test_a_broker_that_dies_ends_nothing(own_broker: kafka.Broker, two: Two) -> None:
    """A watcher must not end with what it watches: it waits, says so, and goes on from what Kafka has."""
    ops, _ = two
    await asyncio.to_thread(ops.start)
    own_broker.kill()
    await eventually(lambda: bool({"views", "follower"} & ops.reasons().keys()), within=60)
    await asyncio.to_thread(own_broker.start)
    async with Sent(own_broker.bootstrap) as sent:
        await sent.lives(50)
    await asyncio.to_thread(ops.shows, await counted_from_zero(own_broker.bootstrap))
    await eventually(ops.ready, within=60)


async def test_two_workers_share_and_one_dies(own_broker: kafka.Broker, two: Two) -> None:
    """Each shows all that both count; the survivor takes over, and hands back what the other gets again."""
    first, second = two
    async with Sent(own_broker.bootstrap) as sent:
        await asyncio.to_thread(first.start)
        flow = asyncio.create_task(sent.lives(250))
        await asyncio.to_thread(second.start)
        await flow
        await asyncio.to_thread(first.shows, await counted_from_zero(own_broker.bootstrap))
        await asyncio.to_thread(second.shows, await counted_from_zero(own_broker.bootstrap))
        flow = asyncio.create_task(sent.lives(250, start=MORNING + timedelta(days=1)))
        await asyncio.to_thread(second.kill)
        await flow
        await asyncio.to_thread(first.shows, await counted_from_zero(own_broker.bootstrap))
        flow = asyncio.create_task(sent.lives(250, start=MORNING + timedelta(days=2)))
        await asyncio.to_thread(second.start)
        await flow
    await asyncio.to_thread(second.shows, await counted_from_zero(own_broker.bootstrap))
    await asyncio.to_thread(first.shows, await counted_from_zero(own_broker.bootstrap))


async def test_a_rebuild_counts_all_again(own_broker: kafka.Broker, two: Two) -> None:
    """Refused while a worker counts; then from the first record on, although Kafka has all of them as committed."""
    ops, _ = two
    async with Sent(own_broker.bootstrap) as sent:
        await sent.lives(20, start=MORNING + timedelta(days=3))
    await asyncio.to_thread(ops.start)
    expected = await counted_from_zero(own_broker.bootstrap)
    await asyncio.to_thread(ops.shows, expected)
    refused = await asyncio.to_thread(rebuilt, ops)
    assert refused.returncode == 3
    assert "stop ops first" in refused.stderr
    assert await asyncio.to_thread(ops.stop) == 0
    done = await asyncio.to_thread(rebuilt, ops)
    assert done.returncode == 0, done.stderr
    await asyncio.to_thread(ops.start)
    await asyncio.to_thread(ops.shows, expected)


def rebuilt(ops: Ops) -> "subprocess.CompletedProcess[str]":
    """`python -m services.ops rebuild` with the same settings."""
    command = [sys.executable, "-m", "services.ops", "rebuild"]
    environment = {"PATH": "/usr/bin", **ops.settings}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
