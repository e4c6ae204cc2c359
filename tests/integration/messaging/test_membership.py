"""Replicas join, leave, freeze and are killed: partitions change owners, and each event takes effect once."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from aiokafka.consumer.subscription_state import SubscriptionState

from motcua.local.embedded.process import Child
from shared.contracts.topics import Topic
from shared.kernel.errors import StartError
from shared.messaging.membership import Membership
from shared.messaging.partition import StopConsumingError
from shared.postgres import pool
from tests.support import eventually
from tests.support.delivery import SERVICE, dossier, step
from tests.support.shell import Shell, background

KEYS = [dossier(n) for n in range(1, 61)]


async def each_once(shell: Shell, upto: int) -> None:
    """Every dossier has every event, once and in order, and nothing is quarantined."""
    rows = await shell.rows()
    assert {key: row.steps for key, row in rows.items()} == {key: [f"{n}" for n in range(1, upto + 1)] for key in KEYS}
    assert await shell.quarantined() == []


async def progress(shell: Shell, topic: Topic) -> int:
    """The number of applied records in all partitions."""
    return sum((await shell.stored(topic)).values())


async def test_rebalance_during_a_batch_loses_and_repeats_nothing(shell: Shell, tmp_path: Path) -> None:
    """A second member joins under load, then the first leaves: each event takes effect once.

    A batch that is applied partly and consumed again would repeat a step; a dropped one would miss it.
    """
    topic = await shell.topic(partitions=6)
    first = shell.replica(topic, member="first", pause_ms=2, session_seconds=5)
    second = shell.replica(topic, member="second", pause_ms=2, session_seconds=5)
    with first.process(tmp_path / "first.log") as one, second.process(tmp_path / "second.log") as two:
        async with shell.flow(topic, KEYS) as rounds:
            await eventually(lambda: reached(shell, topic, 300), within=60)
            await eventually(lambda: joined(one) and joined(two), within=60)
            at = await progress(shell, topic)
            await eventually(lambda: reached(shell, topic, at + 300), within=30)
            await asyncio.to_thread(one.stop)
            at = await progress(shell, topic)
            await eventually(lambda: reached(shell, topic, at + 300), within=30)
        await shell.caught_up(topic, within=60)
        assert one.exit_code == 0
        assert await asyncio.to_thread(two.stop) == 0
    await each_once(shell, len(rounds))


def joined(process: Child) -> bool:
    """Whether the member has partitions."""
    return '"event": "partitions_assigned"' in process.output()


async def reached(shell: Shell, topic: Topic, records: int) -> bool:
    return await progress(shell, topic) >= records


async def test_killed_member_gets_its_partitions_back(shell: Shell, tmp_path: Path) -> None:
    """A killed member that starts again under its name gets its partitions at once, without a rebalance.

    Without a static member name the group would wait for the end of the session, and rebalance.
    """
    topic = await shell.topic(partitions=2)
    replica = shell.replica(topic, member="killed", pause_ms=2)
    async with shell.consuming(topic, member="other") as other:
        with replica.process(tmp_path / "first.log") as process:
            await eventually(lambda: joined(process) and len(owned_by(other)) == 1, within=60)
            generation = generation_of(other)
            (lost,) = {0, 1} - {place.partition for place in owned_by(other)}
            async with shell.flow(topic, KEYS) as rounds:
                await eventually(lambda: behind(shell, topic, lost), within=30)
                process.kill()
        before = (await shell.stored(topic))[lost]
        with replica.process(tmp_path / "second.log") as process:
            await shell.caught_up(topic, within=60)
            assert (await shell.stored(topic))[lost] > before, "there was no backlog at the kill"
            assert generation_of(other) == generation, "the group has rebalanced"
            assert await asyncio.to_thread(process.stop) == 0
    await each_once(shell, len(rounds))


async def behind(shell: Shell, topic: Topic, partition: int) -> bool:
    """Whether the partition's owner has applied some records and has a backlog."""
    stored = (await shell.stored(topic)).get(partition, 0)
    return bool(0 < stored < (await shell.ends(topic))[partition] - 100)


def owned_by(consumer: Any) -> set[Any]:
    """The partitions that the group has assigned to this member."""
    return set(consumer._consumer.assignment()) if consumer._consumer else set()


def generation_of(consumer: Any) -> int:
    """The generation of the group, which increases with each rebalance."""
    return int(consumer._consumer._coordinator.generation)


async def test_frozen_member_loses_its_partitions(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member that freezes in a transaction and resumes later applies no record twice.

    The database ends its transaction, and another member applies its records.
    """
    topic = await shell.topic(partitions=2)
    await shell.send(topic, *(step(key, n) for n in range(1, 6) for key in KEYS))
    await shell.send(topic, step(KEYS[0], 6, "freeze"))
    frozen = shell.replica(topic, member="frozen", freezes_at="freeze", session_seconds=3, frozen_seconds=1)
    monkeypatch.setattr(pool, "FROZEN_TRANSACTION_SECONDS", 1)
    with frozen.process(tmp_path / "frozen.log") as process:
        await eventually(lambda: state(process.pid) == "T", within=60)
        async with shell.consuming(topic, member="other"):
            await shell.caught_up(topic, within=40)
            os.kill(process.pid, signal.SIGCONT)
            await eventually(lambda: process.output().count("partitions_assigned") > 1, within=30)
            await shell.send(topic, *(step(key, 7 if key == KEYS[0] else 6, "last") for key in KEYS))
            await shell.caught_up(topic)
        assert await asyncio.to_thread(process.stop) == 0
    rows = await shell.rows()
    assert rows[KEYS[0]].steps == ["1", "2", "3", "4", "5", "freeze", "last"]
    assert all(rows[key].steps == ["1", "2", "3", "4", "5", "last"] for key in KEYS[1:])


def state(pid: int) -> str:
    """The state of a process in the kernel; T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_member_name_has_one_process(shell: Shell, tmp_path: Path) -> None:
    """A second process with the same member name does not start, and the error names the remedy."""
    topic = await shell.topic()
    replica = shell.replica(topic, member="twin")
    with replica.process(tmp_path / "first.log") as first:
        await eventually(lambda: joined(first), within=60)
        with replica.process(tmp_path / "second.log") as second:
            assert await asyncio.to_thread(second.wait, timeout_seconds=60) == 3
            assert "Another process is member" in second.output()
            assert "Give this replica its own member name" in second.output()
        assert first.exit_code is None


async def test_name_of_a_killed_process_is_free_at_once(shell: Shell) -> None:
    """The lock ends with the connection of the process, so a restart does not wait for a time-out."""
    first = Membership(shell.dsn, SERVICE, group=shell.group, member="one")
    await first.acquire()
    with pytest.raises(StartError, match="Another process is member one"):
        await Membership(shell.dsn, SERVICE, group=shell.group, member="one").acquire()
    first._connection.terminate()
    second = Membership(shell.dsn, SERVICE, group=shell.group, member="one")
    await second.acquire()
    second._connection.terminate()


async def test_lost_name_ends_the_process(shell: Shell) -> None:
    """If another process takes the name after the lock's connection ended, the first one stops."""
    first = Membership(shell.dsn, SERVICE, group=shell.group, member="one")
    await first.acquire()
    running = asyncio.create_task(first.run())
    second = Membership(shell.dsn, SERVICE, group=shell.group, member="one")
    first._connection.terminate()
    await second.acquire()
    try:
        with pytest.raises(StopConsumingError, match="took over the member name one"):
            await asyncio.wait_for(running, 20)
    finally:
        second._connection.terminate()


async def test_name_is_locked_again_after_a_lost_connection(shell: Shell) -> None:
    """If the lock's connection ends and no other process takes the name, the process locks it again."""
    membership = Membership(shell.dsn, SERVICE, group=shell.group, member="one")
    await membership.acquire()
    async with background(membership.run()):
        await shell.pool.execute(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
        )

        async def locked_again() -> bool:
            return bool(await shell.pool.fetchval("select count(*) from pg_locks where locktype = 'advisory'"))

        await eventually(locked_again, within=15)


async def test_long_outage_does_not_end_the_membership(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour without polls does not make the client leave the group, from which it would never return."""
    topic = await shell.topic()
    await shell.send(topic, step(KEYS[0], 1))
    async with shell.consuming(topic) as consumer:
        await shell.caught_up(topic)
        generation = generation_of(consumer)
        monkeypatch.setattr(SubscriptionState, "fetcher_idle_time", 3600.0)
        seen: list[int] = []
        send = consumer._consumer._coordinator._do_heartbeat  # type: ignore[union-attr]

        async def heartbeat() -> bool:
            seen.append(1)
            return bool(await send())

        monkeypatch.setattr(consumer._consumer._coordinator, "_do_heartbeat", heartbeat)  # type: ignore[union-attr]
        await eventually(lambda: len(seen) >= 2, within=20)
        await shell.send(topic, step(KEYS[0], 2))
        await shell.caught_up(topic)
        assert generation_of(consumer) == generation
    assert await shell.steps(KEYS[0]) == ["1", "2"]


async def test_stop_during_a_rebalance_does_not_wait(shell: Shell) -> None:
    """Revoked partitions stop at once, even if their poll is blocked by the rebalance."""
    topic = await shell.topic(partitions=24)
    async with shell.consuming(topic, member="one") as one:
        await eventually(lambda: assigned(one), within=15)
        tasks = [task for _, task in one._partitions.values()]
        async with shell.flow(topic, KEYS), shell.consuming(topic, member="two") as two:
            await eventually(lambda: len(owned_by(one)) == 12 and assigned(two), within=30)
            assert len(tasks) == 24
            assert all(task.done() and not task.cancelled() for task in tasks), "a poll was cancelled by force"


def assigned(consumer: Any) -> bool:
    """Whether the member has its assignment and makes progress."""
    return consumer.reason_not_ready() is None


async def test_missing_topic_is_reported(shell: Shell) -> None:
    """The error for a missing topic names the command that creates it."""
    absent = Topic("never_made", owner="intake", partitions=1)
    consumer = shell.consumer(absent)
    async with background(consumer.run()):
        await eventually(lambda: "motcua topics" in (consumer.reason_not_ready() or ""), within=15)
