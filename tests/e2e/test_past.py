"""The past through a whole centre whose time is set: what comes of it does not depend on the windows."""

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

from motcua.lab.player import Played, play
from motcua.local.centre import LocalCentre
from motcua.local.database import SERVICES
from motcua.local.embedded.kafka import Toolchain
from shared.contracts.topics import MESSAGES
from tests.support import eventually, unique
from tests.support.past import ENDS_AT, STARTS_AT, acts
from tests.support.whole import verified, whole_centre

pytestmark = pytest.mark.timeout(900)


async def _play(local: LocalCentre, lines: Sequence[dict[str, Any]], window: timedelta) -> Played:
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
    """Every event told: type, dossier, sequence, times, actor and data; of notify's the sequence is left out."""
    url = local.site.databases["intake"].replace("motcua_intake", "postgres")
    connection = await asyncpg.connect(url)
    try:

        async def every_arrival_is_told() -> bool:
            unheard = "select count(*) from notify.messages where channel = 'sms' and state = 'sent'"
            return not await connection.fetchval(unheard)

        await eventually(every_arrival_is_told, within=60)
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
    """One centre whose time was set, for both tests: what is played in it a second time changes nothing."""
    with whole_centre(toolchain, starts_at=STARTS_AT) as local:
        yield local


def test_two_lengths_of_windows_give_the_same_events(centre: LocalCentre, toolchain: Toolchain) -> None:
    """Half a working day and eleven working days, of the same acts: every event alike, and every promise kept."""
    told = [asyncio.run(_played(centre, timedelta(hours=4)))]
    with whole_centre(toolchain, starts_at=STARTS_AT) as local:
        told.append(asyncio.run(_played(local, timedelta(hours=88))))
        asyncio.run(_again_changes_nothing(local, told[-1]))
        _refuses_to_be_real(local)
    first, second = told
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
    told = await _events(local)
    report = await verified(local)
    assert report.passed, report
    return told


async def _again_changes_nothing(local: LocalCentre, told: list[tuple[Any, ...]]) -> None:
    """The same acts once more: their keys are known, the time stands at the end already."""
    await _play(local, acts(local.centre, count=40), timedelta(hours=88))
    assert await _events(local) == told


def test_a_past_outlives_the_brokers_retention(centre: LocalCentre) -> None:
    """A broker that deletes what is older than a week within seconds keeps every event of 2017, since the topics count
    from the record's arrival and keep it for ever; a topic with the broker's defaults, fed like this, loses it."""
    lines = acts(centre.centre, count=40)

    async def played() -> None:
        forgetful = await _fed_with_2017(centre.site.kafka)
        assert (await _play(centre, lines, timedelta(hours=88))).acts == len(lines)
        await eventually(lambda: _is_forgotten(centre.site.kafka, forgetful), within=60)
        report = await verified(centre)
        assert report.passed, report
        assert report.events > 300

    asyncio.run(played())


async def _fed_with_2017(bootstrap: str) -> TopicPartition:
    """A topic with the broker's defaults and one record, stamped 2017 by its producer."""
    place = TopicPartition(unique("forgetful"), 0)
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


async def _is_forgotten(bootstrap: str, place: TopicPartition) -> bool:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        beginnings = await consumer.beginning_offsets([place])
    return bool(beginnings[place] == 1)


def _refuses_to_be_real(local: LocalCentre) -> None:
    """A set centre started again as a real one ends with a sentence that says so."""
    local.parts["routing"].stop()
    local.site = replace(local.site, clock="system", clock_starts_at=None)
    process = local.start_service("routing")
    assert process.wait(timeout_seconds=60) == 3
    assert "clock is set from its first start for ever" in process.last_lines()
