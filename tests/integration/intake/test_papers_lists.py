"""What is missing, listed over HTTP on a real database: papers that a run left behind, results that are not here."""

from typing import Any

import pytest

from services.intake import papers_store
from services.intake.__main__ import MIGRATIONS
from tests.integration.intake.office import House
from tests.integration.intake.papers_counter import LATE, MISSING, opened
from tests.support.hand_clock import at

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_a_run_left_behind_is_listed(house: House) -> None:
    """From the run on that left without the papers until they go; with it and the next one."""
    async with opened(house) as counter:
        general, own = await counter.receive(), await counter.receive("clerk")
        counter.clock.set("2017-05-03 11:14")
        assert await counter.listed(LATE) == []
        assert await counter.listed(LATE, due_by="next_run") == [general, own]
        counter.clock.set("2017-05-03 11:14:59")
        late = await counter.receive()  # the run is leaving: it goes with the next one
        assert await counter.listed(LATE) == [general, own]
        counter.clock.set("2017-05-05 17:00")
        answer = (await counter.get(LATE, receiving_place="general", limit=1)).json()
        (first,) = answer["dossiers"]
        assert first | {"dossier_id": ""} == {
            "dossier_id": "",
            "code": general,
            "procedure": "2.000908",
            "department": "STP",
            "channel": "counter",
            "counter": 41,
            "receiving_place": "general",
            "reason": "received",
            "since": "2017-05-03T00:30:01Z",
            "missed_run": "2017-05-03T04:15:00Z",
            "next_run": "2017-05-08T04:15:00Z",  # Friday after the last run
            "next_run_is_today": False,
        }
        assert await counter.listed(LATE, receiving_place="general", limit=1, after=answer["next"]) == [late]
        assert await counter.listed(LATE, "clerk") == [own]
        assert await counter.listed(LATE, "officer", counter=41) == [general, late]
        assert await counter.listed(LATE, "officer-syt") == []
        assert await counter.listed(LATE, department="SYT") == []
        for who, query, status in (
            ("clerk", {"counter": 41}, 403),
            ("officer-syt", {"department": "STP"}, 403),
            ("ops", {}, 403),
            ("leader", {"department": "XXX"}, 422),
            ("leader", {"due_by": "monday"}, 422),
        ):
            assert (await counter.get(LATE, who, **query)).status_code == status, (who, query)

        await counter.hand_over(general)
        await counter.act(own, "take_over")  # at its own counter the officer has the papers
        await counter.act(late, "take_over")  # at the general counter they are still to be carried
        assert await counter.listed(LATE) == [late]
        await counter.act(late, "settle", outcome="approved")
        assert await counter.listed(LATE) == []


async def test_a_settlement_whose_result_is_not_here_is_listed(house: House) -> None:
    """With its working days, until the result comes; the counter for results sees all, another clerk its own."""
    async with opened(house) as counter:
        paper, own, electronic = await counter.receive(), await counter.receive("clerk"), await counter.receive()
        counter.clock.set("2017-05-03 08:00")
        for code in (paper, own):
            await counter.act(code, "settle", outcome="approved")
        await counter.act(electronic, "settle", outcome="approved", electronic_result=True)
        counter.clock.set("2017-05-08 08:00")
        (first, _) = (await counter.get(MISSING)).json()["dossiers"]
        assert (first["code"], first["reason"], first["counter"]) == (paper, "settled_without_result", 41)
        assert (first["settled_at"], first["working_days"]) == ("2017-05-03T01:00:00Z", 3)
        assert await counter.listed(MISSING, "clerk-44") == [paper, own]
        assert await counter.listed(MISSING, "clerk-44", counter=2) == [own]
        assert await counter.listed(MISSING, "clerk") == [own]
        assert await counter.listed(MISSING, "officer-syt") == []
        assert (await counter.get(MISSING, "clerk", counter=41)).status_code == 403

        await counter.act(paper, "result_arrived", "clerk-44")
        assert await counter.listed(MISSING) == [own]
        await counter.act(paper, "reopen", "leader", reason="a page was missing")
        await counter.act(paper, "settle", outcome="approved")
        assert await counter.listed(MISSING) == [paper, own]
        await counter.act(paper, "return_result", "clerk-44", way="counter")
        assert await counter.listed(MISSING) == [own]


async def test_dossiers_of_before_get_what_their_events_say(house: House) -> None:
    """The migration that makes the columns fills them."""
    async with opened(house) as counter:
        pool, life = counter.context.pool, [("ask_supplement", "officer", {"papers": ["deed"]})]
        brought = [("supplement_received", "clerk-41", {"documents": [{"title": "deed"}]})]
        gone = [("hand_over", "clerk-41", {"batch": "1", "given_by": "a", "taken_by": "b"})]
        settled = [("settle", "officer", {"outcome": "approved"})]
        ways: list[list[tuple[str, str, dict[str, Any]]]] = [
            [],
            gone,
            [*gone, *life, *brought],
            [*life, *brought],
            [*life, *brought, *gone, *settled],
            [*settled, ("result_arrived", "clerk-41", {})],
            [*settled, ("result_arrived", "clerk-41", {}), ("reopen", "leader", {"reason": "once more"}), *settled],
            [("settle", "officer", {"outcome": "approved", "electronic_result": True})],
            [*settled, ("return_result", "clerk-41", {"way": "counter"})],
            [("withdraw", "clerk-41", {})],
        ]
        for way in ways:
            code = await counter.receive()
            for act, who, data in way:
                counter.clock.tick()
                await counter.act(code, act, who, **data)
        await counter.office.submit("portal")
        columns = "papers_since, papers_counter, papers_sequence, settled_at, result_at"
        read = f"select {columns} from dossiers order by dossier_id"
        before = await pool.fetch(read)
        await pool.execute(
            "update dossiers set papers_since = null, papers_counter = null, papers_sequence = 0, settled_at = null, "
            "result_at = null"
        )
        filling = (MIGRATIONS / "0004_papers.sql").read_text(encoding="utf-8")
        await pool.execute(filling[filling.index("with told as") : filling.index("-- Both lists")])
        assert await pool.fetch(read) == before


async def test_without_a_calendar_nothing_is_guessed(house: House) -> None:
    """503, to be asked again."""
    async with opened(house) as counter:
        await counter.context.pool.execute("delete from calendars")
        for path in (LATE, MISSING):
            answer = await counter.get(path)
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:motcua:problem:calendar-not-arrived")


_MANY = """
insert into dossiers (dossier_id, sequence, fences, partition, state, procedure, department, channel, counter, code,
    submitted_by, received_at, incomplete, reach, handed_in, asked_papers, clock_sequence, papers_since, papers_counter,
    settled_at)
select gen_random_uuid(), 2, '{}', 0, 'returned', '2.000908', 'STP', 'counter', 41, 'H10.02-170503-' || n, 'clerk',
    '2017-05-03 01:00Z', false, '[]', '[]', '[]', 2,
    case when n % 50 = 0 then '2017-05-03 01:00Z'::timestamptz end, case when n % 50 = 0 then 41 end,
    case when n % 50 = 1 then '2017-05-03 01:00Z'::timestamptz end
from generate_series(1, 5000) as n
"""


async def test_the_lists_are_read_from_their_indexes_alone(house: House) -> None:
    """However many dossiers there are, only what is missing is looked at."""
    async with opened(house) as counter:
        pool = counter.context.pool
        await pool.execute(_MANY)
        await pool.execute("vacuum analyze dossiers")
        noon = at("2017-05-03 12:00")
        for query, index, asked in (
            (papers_store._PAPERS_WAIT, "dossiers_papers_wait", (False, [2], noon, noon, None, None, None, 100)),
            (papers_store._RESULTS_MISS, "dossiers_results_miss", (None, None, None, 100)),
        ):
            plan = "\n".join(row[0] for row in await pool.fetch(f"explain (analyze, costs off) {query}", *asked))
            assert f"Index Only Scan using {index} on dossiers" in plan
            assert "Heap Fetches: 0" in plan
        assert len(await counter.listed(MISSING, limit=500)) == 100
