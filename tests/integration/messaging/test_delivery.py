"""Each event takes effect once, in its dossier's order, and one bad record holds up its own dossier alone."""

from typing import Any

import pytest

from shared.contracts.envelope import EventEnvelope
from shared.contracts.registry import UpgradeNeededError
from shared.messaging.partition import StopConsumingError
from shared.messaging.records import headers, headers_of
from shared.postgres.unit_of_work import Unit
from tests.support import eventually
from tests.support.delivery import MOMENT, Tally, counting, dossier, step
from tests.support.shell import Shell, told_on

A, B, C = dossier(1), dossier(2), dossier(3)


async def test_a_duplicate_takes_effect_once(shell: Shell) -> None:
    """A relay that dies between sending and deleting leaves copies; a second effect of one would break this."""
    topic = await shell.topic()
    first, second = step(A, 1), step(A, 2)
    await shell.send(topic, first, second, first, second)
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        await shell.send(topic, second)
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1", "2"]
    assert await shell.quarantined() == []


async def test_a_gap_waits_for_the_missing_record(shell: Shell) -> None:
    """A record that overtook its predecessor waits in the table and follows by itself; others flow meanwhile."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1), step(A, 3), step(A, 4), step(B, 1))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        assert await shell.steps(A) == ["1"]
        assert await shell.steps(B) == ["1"]
        assert await shell.quarantined() == [(1, "gap"), (2, "gap")]
        await shell.send(topic, step(A, 2))
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1", "2", "3", "4"]
    assert await shell.quarantined() == []


async def test_who_waits_is_told_of_what_was_committed(shell: Shell) -> None:
    """Whoever sends what the consumer plans need not ask again and again: a transaction that told events says so."""
    topic, outgoing = await shell.topic(), await shell.topic("outgoing")
    tells = told_on(outgoing)

    def on_step(event: EventEnvelope[Any], unit: Unit[Tally]) -> None:
        if event.data.activity == "tell":
            data = tells(state="processing", activity="told")
            unit.publish(unit.row(event.dossier_id), data, time=MOMENT, cause=unit.cause_of(event))

    async with shell.consuming(topic, handler=on_step) as consumer:
        applied, told = consumer.applied.next(), consumer.told.next()
        await shell.send(topic, step(A, 1))
        await eventually(applied.done, within=20)
        assert not told.done()
        await shell.send(topic, step(A, 2, "tell"))
        await eventually(told.done, within=20)


async def test_progress_is_dated(shell: Shell) -> None:
    """Whoever looks at night, once, sees when the offset last moved; a record that changed nothing else counts."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1), step(A, 1))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
    moved = await shell.pool.fetchval(
        "select moved_at > now() - interval '1 min' and moved_at <= clock_timestamp() from stored_offsets "
        "where topic = $1",
        topic.name,
    )
    assert moved is True


async def test_an_unknown_type_passes(shell: Shell) -> None:
    """A writer deployed before its readers tells types they don't know; the next event must not wait for them."""
    topic = await shell.topic()
    unheard = headers("dossier.unheard_of", 7, 2, 1, "6d6f7463-0000-5000-8000-000000000002")
    await shell.send(topic, step(A, 1))
    await shell.send_raw(topic, [(str(A).encode(), b"\xff not even JSON", unheard)])
    await shell.send(topic, step(A, 3))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1", "3"]
    assert await shell.quarantined() == []


async def test_an_unknown_version_stops_and_parks_nothing(shell: Shell) -> None:
    """Parking sound records for want of an upgrade would lose them to an operator's discard."""
    topic = await shell.topic()
    event = step(A, 1)
    newer = [(name, b"2" if name == "version" else value) for name, value in headers_of(event)]
    await shell.send_raw(topic, [(str(A).encode(), event.to_json(), newer)])
    with pytest.raises(UpgradeNeededError, match="upgrade me"):
        await shell.consumer(topic).run()
    assert await shell.quarantined() == []
    assert await shell.stored(topic) == {0: 0}


async def test_poison_is_parked_and_the_rest_flows(shell: Shell) -> None:
    """Bytes that nobody can read block their dossier if it can be told, and nobody if it cannot."""
    topic = await shell.topic()
    key = str(A).encode()
    good = headers_of(step(A, 1))
    poison: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = [
        (b"no dossier", b"{}", good),
        (key, b"{}", []),
        (None, b"", []),
        (key, b"{}", [*good[:2], ("sequence", b"9" * 19), *good[3:]]),
        (bytes(range(256)) * 50, b"\0", [("type", b"\0")]),
        (key, b"not JSON", good),
    ]
    await shell.send_raw(topic, poison)
    await shell.send(topic, step(A, 2), step(B, 1))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
    unreadable = [(offset, "unreadable") for offset in range(5)]
    assert await shell.quarantined() == [*unreadable, (5, "parked"), (6, "behind")]
    assert await shell.steps(B) == ["1"]


async def test_one_failing_record_parks_its_dossier_alone(shell: Shell) -> None:
    """The batch is undone and done again record by record: nothing half-done stays, nobody else waits."""
    topic = await shell.topic()
    await shell.send(topic, *(step(key, n, f"{n}") for n in (1, 2, 3) for key in (A, B, C)))
    refuses_one = counting(refuses=lambda activity: activity == "bad")
    await shell.send(topic, step(A, 4, "bad"), step(B, 4), step(A, 5), step(C, 4))
    async with shell.consuming(topic, handler=refuses_one):
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1", "2", "3"]
    assert await shell.steps(B) == ["1", "2", "3", "4"]
    assert await shell.steps(C) == ["1", "2", "3", "4"]
    assert await shell.quarantined() == [(9, "parked"), (11, "behind")]


async def test_what_cannot_be_stored_is_parked(shell: Shell) -> None:
    """The handler is content but Postgres refuses a NUL in a text: without parking, the batch fails for ever."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1), step(A, 2, "a NUL: \0"), step(A, 3), step(B, 1))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1"]
    assert await shell.steps(B) == ["1"]
    assert await shell.quarantined() == [(1, "parked"), (2, "behind")]


async def test_what_follows_a_gap_is_blamed_for_itself(shell: Shell) -> None:
    """The missing record lets a quarantined one follow that cannot be stored: the quarantined one is parked, not the
    sound one."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 2), step(A, 3, "a NUL: \0"), step(A, 4))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        await shell.send(topic, step(A, 1))
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1", "2"]
    assert await shell.quarantined() == [(1, "parked"), (2, "gap")]


async def test_a_replay_applies_and_the_rest_follows(shell: Shell) -> None:
    """What an operator asks for is carried out by the consumer, once, without a restart."""
    topic = await shell.topic()
    faults = {"2"}
    await shell.send(topic, step(A, 1), step(A, 2), step(A, 3))
    async with shell.consuming(topic, handler=counting(refuses=faults.__contains__)):
        await shell.caught_up(topic)
        assert await shell.steps(A) == ["1"]
        await shell.decide(topic, 1, "replay")
        await eventually(shell.no_request, within=10)
        assert await shell.quarantined() == [(1, "parked"), (2, "behind")], "the fault is still there: parked again"
        faults.clear()
        await shell.decide(topic, 1, "replay")
        await eventually(shell.nothing_quarantined, within=10)
    assert await shell.steps(A) == ["1", "2", "3"]


async def test_a_replay_that_cannot_be_stored_parks_again(shell: Shell) -> None:
    """The consumer lives on: a request that ended it would end it again at every start."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1, "a NUL: \0"), step(A, 2))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        await shell.decide(topic, 0, "replay")
        await eventually(shell.no_request, within=10)
        await shell.send(topic, step(B, 1))
        await shell.caught_up(topic)
    assert await shell.quarantined() == [(0, "parked"), (1, "behind")]
    assert await shell.steps(B) == ["1"]


async def test_a_discard_skips_one_record(shell: Shell) -> None:
    """Its successors follow; an unreadable one just goes."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1), step(A, 2, "bad"), step(A, 3))
    await shell.send_raw(topic, [(b"nobody", b"", [])])
    async with shell.consuming(topic, handler=counting(refuses=lambda activity: activity == "bad")):
        await shell.caught_up(topic)
        await shell.decide(topic, 1, "discard")
        await shell.decide(topic, 3, "discard")
        await eventually(shell.nothing_quarantined, within=10)
    assert await shell.steps(A) == ["1", "3"]


async def test_too_many_parked_dossiers_stop_the_consumer(shell: Shell) -> None:
    """A bad release must not park a whole topic: after 20 dossiers the consumer stops and says where to look."""
    topic = await shell.topic()
    await shell.send(topic, *(step(dossier(n), 1, "bad") for n in range(100, 150)))
    with pytest.raises(StopConsumingError, match=r"21 dossiers were parked within 1000 records.*motcua parked list"):
        await shell.consumer(topic, handler=counting(refuses=lambda activity: activity == "bad")).run()
    assert len(await shell.quarantined()) == 21
    assert await shell.stored(topic) == {0: 21}, "what was parked is not read again"


async def test_a_few_dossiers_among_many_records_stop_nobody(shell: Shell) -> None:
    """The limit counts dossiers, not records: one dossier's long tail is one."""
    topic = await shell.topic()
    await shell.send(topic, *(step(A, n, "bad" if n == 1 else "") for n in range(1, 60)))
    async with shell.consuming(topic, handler=counting(refuses=lambda activity: activity == "bad")):
        await shell.caught_up(topic)
    assert len(await shell.quarantined()) == 59


async def test_a_topic_that_nobody_can_read_stops_the_consumer(shell: Shell) -> None:
    """Records without a readable key count each for itself; otherwise a writer's fault would pass in silence."""
    topic = await shell.topic()
    await shell.send_raw(topic, [(b"", b"", []) for _ in range(50)])
    with pytest.raises(StopConsumingError, match="were parked"):
        await shell.consumer(topic).run()


async def test_a_missing_table_ends_the_consumer_and_parks_nobody(shell: Shell) -> None:
    """The database is not as this release needs it: that is no record's doing."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1))
    await shell.pool.execute("alter table tallies rename to elsewhere")
    with pytest.raises(Exception, match='relation "tallies" does not exist'):
        await shell.consumer(topic).run()
    assert await shell.quarantined() == []
    assert await shell.stored(topic) == {0: 0}


async def test_a_migration_under_a_running_consumer_is_survived(shell: Shell) -> None:
    """A column added by the next release makes prepared statements stale: tried again, nothing parked."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        await shell.pool.execute("alter table tallies alter column steps type jsonb using '[\"migrated\"]'::jsonb")
        await shell.pool.execute("alter table tallies alter column sequence type int")
        await shell.send(topic, step(A, 2))
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["migrated", "2"]
    assert await shell.quarantined() == []


async def test_a_fork_waits_for_an_operator(shell: Shell) -> None:
    """A later life of the writer contradicts what was applied: taken in silence, readers would part from it."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1), step(A, 2, "old life"), step(A, 2, "new life", epoch=9), step(A, 3, epoch=9))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        assert await shell.quarantined() == [(2, "fork"), (3, "behind")]
        await shell.decide(topic, 2, "replay")
        await eventually(shell.nothing_quarantined, within=10)
    assert await shell.steps(A) == ["1", "old life", "new life", "3"]
