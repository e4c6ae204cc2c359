"""The player with a whole centre and a simulated clock: the result does not depend on the windows."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from motcua.lab.player import PlayProgress, play
from motcua.local.centre import LocalCentre
from motcua.local.database import SERVICES
from motcua.local.embedded.kafka import Toolchain
from shared.contracts.topics import MESSAGES
from tests.support import eventually, unique
from tests.support.past import ENDS_AT, STARTS_AT, acts
from tests.support.whole import verified, whole_centre

pytestmark = pytest.mark.timeout(900)


async def _play(local: LocalCentre, lines: Sequence[dict[str, Any]], window: timedelta) -> PlayProgress:
    return await play(
        lines,
        local.site,
        local.centre,
        importer=local.tokens["importer"],
        ops=local.tokens["ops"],
        window=window,
        until=ENDS_AT,
    )


async def _events(local: LocalCentre) -> list[tuple[Any, ...]]:
    """Return every published event: subject, type, times, actor and data, and the sequence except for notify."""
    url = local.site.databases["intake"].replace("motcua_intake", "postgres")
    connection = await asyncpg.connect(url)
    try:

        async def all_receipts_have_arrived() -> bool:
            without_receipt = "select count(*) from notify.messages where channel = 'sms' and state = 'sent'"
            return not await connection.fetchval(without_receipt)

        await eventually(all_receipts_have_arrived, within=60)
        found = []
        for service in SERVICES:
            for row in await connection.fetch(f"select topic, value from {service}.events"):
                event = json.loads(row["value"])
                sequence = None if row["topic"] == MESSAGES.name else event["sequence"]
                data = json.dumps(event["data"], sort_keys=True)
                actor = (event["actorid"], event["actorrole"])
                place = (row["topic"], event["subject"], sequence or 0)
                found.append((*place, event["type"], event["time"], event["recordedtime"], actor, data))
        return sorted(found)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def centre(toolchain: Toolchain) -> Iterator[LocalCentre]:
    """Return one centre with a simulated clock for both tests. Acts played a second time change nothing in it."""
    with whole_centre(toolchain, starts_at=STARTS_AT) as local:
        yield local


def test_events_do_not_depend_on_the_length_of_windows(centre: LocalCentre, toolchain: Toolchain) -> None:
    """Windows of half a working day and of eleven working days give the same events, and `verify` passes for both."""
    played = [asyncio.run(_played(centre, timedelta(hours=4)))]
    with whole_centre(toolchain, starts_at=STARTS_AT) as local:
        played.append(asyncio.run(_played(local, timedelta(hours=88))))
        asyncio.run(_check_second_play(local, played[-1]))
        _check_system_clock_is_refused(local)
    first, second = played
    assert len(first) > 300
    assert {"deadline.near", "deadline.reached", "deadline.breached", "message.sent", "message.delivered"} <= {
        event[3] for event in first
    }
    assert [one for one in first if one not in set(second)] == []
    assert first == second


async def _played(local: LocalCentre, window: timedelta) -> list[tuple[Any, ...]]:
    lines = acts(local.centre, count=40)
    played = await _play(local, lines, window)
    assert played.acts == len(lines)
    assert {refusal.status for refusal in played.refusals} == {409}, played.refusals
    assert len(played.refusals) < len(lines) / 20
    events = await _events(local)
    report = await verified(local)
    assert report.passed, report
    return events


async def _check_second_play(local: LocalCentre, events: list[tuple[Any, ...]]) -> None:
    """Check that playing the same acts again changes nothing: their keys are known and the clock is at the end."""
    await _play(local, acts(local.centre, count=40), timedelta(hours=88))
    assert await _events(local) == events


def test_broker_retention_does_not_delete_past_events(centre: LocalCentre) -> None:
    """Events of 2017 stay on the broker, whose default retention deletes records older than a week within seconds.

    The topics of the centre count from a record's arrival and have unlimited retention. A topic with the broker's
    defaults loses such a record.
    """
    lines = acts(centre.centre, count=40)

    async def played() -> None:
        default_topic = await _topic_with_record_of_2017(centre.site.kafka)
        assert (await _play(centre, lines, timedelta(hours=88))).acts == len(lines)
        await eventually(lambda: _is_deleted(centre.site.kafka, default_topic), within=60)
        report = await verified(centre)
        assert report.passed, report
        assert report.events > 300

    asyncio.run(played())


async def _topic_with_record_of_2017(bootstrap: str) -> TopicPartition:
    """Create a topic with the broker's defaults, and a record with a timestamp of 2017."""
    place = TopicPartition(unique("default_retention"), 0)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(place.topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        stamp = int(STARTS_AT.timestamp() * 1000)
        await producer.send_and_wait(place.topic, b"an event of 2017", partition=0, timestamp_ms=stamp)
    return place


async def _is_deleted(bootstrap: str, place: TopicPartition) -> bool:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        beginnings = await consumer.beginning_offsets([place])
    return bool(beginnings[place] == 1)


def _check_system_clock_is_refused(local: LocalCentre) -> None:
    """Check that a service of a centre with a simulated clock does not start with a system clock."""
    local.parts["routing"].stop()
    local.site = replace(local.site, clock="system", clock_starts_at=None)
    process = local.start_service("routing")
    assert process.wait(timeout_seconds=60) == 3
    assert "belongs to a centre with a simulated clock, and the kind never changes" in process.last_lines()
