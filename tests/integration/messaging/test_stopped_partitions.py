"""A partition that cannot continue because of its content stops alone."""

from typing import Any

import pytest

from shared.contracts.registry import decode
from shared.contracts.topics import Topic
from shared.messaging.relay import partition_of
from tests.support import eventually
from tests.support.delivery import counting, dossier, step
from tests.support.kafka import later_version
from tests.support.shell import Shell

PARTITIONS = 3
KEYS = {partition_of(str(key).encode(), PARTITIONS): key for key in map(dossier, range(60, 0, -1))}
"""A dossier of each partition."""


async def test_later_version_stops_one_partition(shell: Shell) -> None:
    """Records before it are applied, it is not parked, and the other partitions continue."""
    topic = await shell.topic(partitions=PARTITIONS)
    await shell.send(topic, step(KEYS[0], 1))
    await shell.send_raw(topic, [later_version(step(KEYS[0], 2))])
    await shell.send(topic, step(KEYS[0], 3))
    async with shell.consuming(topic, stall_seconds=1.0) as consumer:
        assert "Upgrade this service" in await shell.stop_of(topic, 0)
        assert await shell.steps(KEYS[0]) == ["1"]
        await shell.send(topic, step(KEYS[1], 1), step(KEYS[2], 1))
        await eventually(lambda: _has_steps(shell, 1, 2), within=20)
        assert await consumer.caught_up(topic) == {1, 2}
        assert await consumer.caught_up_in_group(topic) == {1, 2}
        reason = consumer.reason_not_ready() or ""
        assert reason.startswith(f"{topic.name}/0 stopped at offset 1: ")
        assert list(consumer.figures()["stopped"]) == [f"{topic.name}/0"]
    assert (await shell.stored(topic))[0] == 1
    assert await shell.quarantined() == []


async def test_stopped_partition_continues_after_an_upgrade(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is retried at the next start, and its reason is then forgotten."""
    topic = await shell.topic()
    await shell.send_raw(topic, [later_version(step(KEYS[0], 1))])
    async with shell.consuming(topic):
        await shell.stop_of(topic)
    with monkeypatch.context() as patch:
        patch.setattr("shared.messaging.records.decode", _decode_any_version)
        async with shell.consuming(topic) as consumer:
            await shell.caught_up(topic)
            await eventually(lambda: _has_not_stopped(shell, topic), within=10)
            assert consumer.reason_not_ready() is None
    assert await shell.steps(KEYS[0]) == ["1"]


async def test_row_that_cannot_be_read_stops_one_partition(shell: Shell) -> None:
    """A row whose content is damaged stops the partition of its dossier, not the others."""
    topic = await shell.topic(partitions=PARTITIONS)
    await shell.create_rows(KEYS[0])
    await shell.pool.execute("update tallies set fences = '[1]'")
    async with shell.consuming(topic):
        await shell.send(topic, step(KEYS[0], 1), step(KEYS[1], 1))
        assert "AttributeError; see the log" in await shell.stop_of(topic, 0)
        await eventually(lambda: _has_steps(shell, 1), within=20)


async def test_too_many_parked_dossiers_leave_other_partitions_alone(shell: Shell) -> None:
    """The limit stops the partition that parks; one that parks nothing continues."""
    topic = await shell.topic(partitions=PARTITIONS)
    bad = [key for key in map(dossier, range(100, 300)) if partition_of(str(key).encode(), PARTITIONS) == 0]
    await shell.send(topic, *(step(key, 1, "bad") for key in bad))
    async with shell.consuming(topic, handler=counting(refuses=lambda activity: activity == "bad")):
        assert "were parked" in await shell.stop_of(topic, 0)
        await shell.send(topic, step(KEYS[1], 1))
        await eventually(lambda: _has_steps(shell, 1), within=20)
    assert len(await shell.quarantined()) == 21


async def _has_steps(shell: Shell, *partitions: int) -> bool:
    return [await shell.steps(KEYS[number]) for number in partitions] == [["1"]] * len(partitions)


async def _has_not_stopped(shell: Shell, topic: Topic) -> bool:
    return not await shell.stopped(topic)


def _decode_any_version(event_type: str, _: int, value: bytes) -> Any:
    return decode(event_type, 1, value)
