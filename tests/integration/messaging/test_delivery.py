"""Each event takes effect once, in the order of its dossier, and a bad record blocks only its dossier."""

import re
from typing import Any

import pytest

from shared.contracts.envelope import EventEnvelope
from shared.messaging.records import headers, headers_of
from shared.postgres.unit_of_work import Unit
from tests.support import eventually
from tests.support.delivery import MOMENT, Tally, counting, dossier, step
from tests.support.shell import Shell, event_class_of

A, B, C = dossier(1), dossier(2), dossier(3)


async def test_duplicate_takes_effect_once(shell: Shell) -> None:
    """A relay that dies between sending and deleting sends copies, which have no effect."""
    topic = await shell.topic()
    first, second = step(A, 1), step(A, 2)
    await shell.send(topic, first, second, first, second)
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        await shell.send(topic, second)
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1", "2"]
    assert await shell.quarantined() == []


async def test_record_after_a_gap_is_quarantined_until_the_gap_closes(shell: Shell) -> None:
    """A record after a gap is quarantined and applied after the missing one; other dossiers are not affected."""
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


async def test_signals_fire_after_commits(shell: Shell) -> None:
    """`applied` fires after each transaction, `published` only after one that published events."""
    topic, outgoing = await shell.topic(), await shell.topic("outgoing")
    event_of = event_class_of(outgoing)

    def on_step(event: EventEnvelope[Any], unit: Unit[Tally]) -> None:
        if event.data.activity == "publish":
            data = event_of(state="processing", activity="published")
            unit.publish(unit.row(event.dossier_id), data, time=MOMENT, cause=unit.cause_of(event))

    async with shell.consuming(topic, handler=on_step) as consumer:
        applied, published = consumer.applied.next(), consumer.published.next()
        await shell.send(topic, step(A, 1))
        await eventually(applied.done, within=20)
        assert not published.done()
        await shell.send(topic, step(A, 2, "publish"))
        await eventually(published.done, within=20)


async def test_progress_has_an_instant(shell: Shell) -> None:
    """The stored offset has the instant of its last change, also for a record without effect."""
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


async def test_unknown_type_advances_the_fence(shell: Shell) -> None:
    """A record of an unknown type has no effect, and does not block the next event."""
    topic = await shell.topic()
    unknown = headers("dossier.unheard_of", 7, 2, 1, "6d6f7463-0000-5000-8000-000000000002")
    await shell.send(topic, step(A, 1))
    await shell.send_raw(topic, [(str(A).encode(), b"\xff not even JSON", unknown)])
    await shell.send(topic, step(A, 3))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1", "3"]
    assert await shell.quarantined() == []


async def test_poison_blocks_only_its_dossier(shell: Shell) -> None:
    """An undecodable record blocks its dossier, and no dossier if its key is unreadable."""
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


async def test_failing_record_blocks_only_its_dossier(shell: Shell) -> None:
    """The batch is rolled back and applied record by record: only the failing dossier is blocked."""
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


async def test_unstorable_effect_is_parked(shell: Shell) -> None:
    """A record whose effect Postgres rejects (a NUL in a text) is parked, although its handler succeeded."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1), step(A, 2, "a NUL: \0"), step(A, 3), step(B, 1))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1"]
    assert await shell.steps(B) == ["1"]
    assert await shell.quarantined() == [(1, "parked"), (2, "behind")]


async def test_released_record_that_fails_is_parked_itself(shell: Shell) -> None:
    """If a missing record releases one that cannot be stored, the released one is parked, not the missing one."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 2), step(A, 3, "a NUL: \0"), step(A, 4))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        await shell.send(topic, step(A, 1))
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1", "2"]
    assert await shell.quarantined() == [(1, "parked"), (2, "gap")]


async def test_replay_applies_the_parked_and_the_blocked_records(shell: Shell) -> None:
    """The consumer executes a requested replay once, without a restart."""
    topic = await shell.topic()
    faults = {"2"}
    await shell.send(topic, step(A, 1), step(A, 2), step(A, 3))
    async with shell.consuming(topic, handler=counting(refuses=faults.__contains__)):
        await shell.caught_up(topic)
        assert await shell.steps(A) == ["1"]
        await shell.decide(topic, 1, "replay")
        await eventually(shell.no_request, within=10)
        assert await shell.quarantined() == [(1, "parked"), (2, "behind")], "the fault is not corrected: parked again"
        faults.clear()
        await shell.decide(topic, 1, "replay")
        await eventually(shell.nothing_quarantined, within=10)
    assert await shell.steps(A) == ["1", "2", "3"]


async def test_replay_that_cannot_be_stored_parks_again(shell: Shell) -> None:
    """A failing replay does not end the consumer, which would then end at every start."""
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


async def test_discard_skips_one_record(shell: Shell) -> None:
    """A discard releases the successors; an unreadable record is only deleted."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1), step(A, 2, "bad"), step(A, 3))
    await shell.send_raw(topic, [(b"no dossier", b"", [])])
    async with shell.consuming(topic, handler=counting(refuses=lambda activity: activity == "bad")):
        await shell.caught_up(topic)
        await shell.decide(topic, 1, "discard")
        await shell.decide(topic, 3, "discard")
        await eventually(shell.nothing_quarantined, within=10)
    assert await shell.steps(A) == ["1", "3"]


async def test_too_many_parked_dossiers_stop_the_partition(shell: Shell) -> None:
    """The partition stops after 20 parked dossiers, so that a bad release does not park a whole topic."""
    topic = await shell.topic()
    await shell.send(topic, *(step(dossier(n), 1, "bad") for n in range(100, 150)))
    async with shell.consuming(topic, handler=counting(refuses=lambda activity: activity == "bad")):
        reason = await shell.stop_of(topic)
    assert re.search(r"21 dossiers were parked within 1000 records.*motcua parked list", reason)
    assert len(await shell.quarantined()) == 21
    assert await shell.stored(topic) == {0: 21}, "parked records are not consumed again"


async def test_many_blocked_records_of_one_dossier_do_not_stop_the_partition(shell: Shell) -> None:
    """The limit counts dossiers, not records."""
    topic = await shell.topic()
    await shell.send(topic, *(step(A, n, "bad" if n == 1 else "") for n in range(1, 60)))
    async with shell.consuming(topic, handler=counting(refuses=lambda activity: activity == "bad")):
        await shell.caught_up(topic)
    assert len(await shell.quarantined()) == 59


async def test_many_unreadable_records_stop_the_partition(shell: Shell) -> None:
    """Each unreadable record counts as a dossier of its own."""
    topic = await shell.topic()
    await shell.send_raw(topic, [(b"", b"", []) for _ in range(50)])
    async with shell.consuming(topic):
        assert "were parked" in await shell.stop_of(topic)


async def test_missing_table_ends_the_consumer_and_parks_nothing(shell: Shell) -> None:
    """A database that does not fit the release is not the fault of a record."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1))
    await shell.pool.execute("alter table tallies rename to elsewhere")
    with pytest.raises(Exception, match='relation "tallies" does not exist'):
        await shell.consumer(topic).run()
    assert await shell.quarantined() == []
    assert await shell.stored(topic) == {0: 0}


async def test_migration_does_not_end_a_running_consumer(shell: Shell) -> None:
    """A migration invalidates prepared statements; the transaction is retried, and nothing is parked."""
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


async def test_fork_is_quarantined_until_a_decision(shell: Shell) -> None:
    """A record of a later epoch that contradicts the applied history needs an operator's decision."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1), step(A, 2, "old epoch"), step(A, 2, "new epoch", epoch=9), step(A, 3, epoch=9))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        assert await shell.quarantined() == [(2, "fork"), (3, "behind")]
        await shell.decide(topic, 2, "replay")
        await eventually(shell.nothing_quarantined, within=10)
    assert await shell.steps(A) == ["1", "old epoch", "new epoch", "3"]
