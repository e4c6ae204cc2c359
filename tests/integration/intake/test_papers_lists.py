"""The lists of waiting papers and missing results over HTTP, on a real database."""

import pytest

from services.intake.papers import store
from tests.integration.intake.deployment import Deployment
from tests.integration.intake.papers_counter import MISSING, WAITING, opened
from tests.support.hand_clock import at

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_papers_that_missed_a_run_are_listed(deployment: Deployment) -> None:
    """They are listed from the run that left without them until they go, with that run and the next."""
    async with opened(deployment) as counter:
        general, own = await counter.receive(), await counter.receive("clerk")
        counter.clock.set("2017-05-03 11:14")
        assert await counter.listed(WAITING) == []
        assert await counter.listed(WAITING, due_by="next_run") == [general, own]
        counter.clock.set("2017-05-03 11:14:59")
        late = await counter.receive()  # the run is leaving, so the papers wait for the next one
        assert await counter.listed(WAITING) == [general, own]
        counter.clock.set("2017-05-05 17:00")
        answer = (await counter.get(WAITING, receiving_place="general", limit=1)).json()
        (first,) = answer["items"]
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
        assert await counter.listed(WAITING, receiving_place="general", limit=1, after=answer["next"]) == [late]
        assert await counter.listed(WAITING, "clerk") == [own]
        assert await counter.listed(WAITING, "officer", counter=41) == [general, late]
        assert await counter.listed(WAITING, "officer-syt") == []
        assert await counter.listed(WAITING, department="SYT") == []
        for who, query, status in (
            ("clerk", {"counter": 41}, 403),
            ("officer-syt", {"department": "STP"}, 403),
            ("ops", {}, 403),
            ("leader", {"department": "XXX"}, 422),
            ("leader", {"due_by": "monday"}, 422),
        ):
            assert (await counter.get(WAITING, who, **query)).status_code == status, (who, query)

        await counter.hand_over(general)
        await counter.act(own, "take_over")  # at the own counter the officer has the papers
        await counter.act(late, "take_over")  # at the general counter they are still to be carried
        assert await counter.listed(WAITING) == [late]
        await counter.act(late, "settle", outcome="approved")
        assert await counter.listed(WAITING) == []


async def test_settlement_without_a_result_is_listed(deployment: Deployment) -> None:
    """It is listed until the result arrives; a counter for results sees all, another counter its own."""
    async with opened(deployment) as counter:
        paper, own, electronic = await counter.receive(), await counter.receive("clerk"), await counter.receive()
        counter.clock.set("2017-05-03 08:00")
        for code in (paper, own):
            await counter.act(code, "settle", outcome="approved")
        await counter.act(electronic, "settle", outcome="approved", electronic_result=True)
        counter.clock.set("2017-05-08 08:00")
        (first, _) = (await counter.get(MISSING)).json()["items"]
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


async def test_lists_without_a_calendar_are_refused(deployment: Deployment) -> None:
    """The status is 503; the client retries."""
    async with opened(deployment) as counter:
        await counter.context.pool.execute("delete from calendars")
        for path in (WAITING, MISSING):
            answer = await counter.get(path)
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:motcua:problem:calendar-not-available")


_MANY = """
insert into dossiers (dossier_id, sequence, fences, partition, state, procedure, department, channel, counter, code,
    submitted_by, received_at, incomplete, reach, handed_in, requested_papers, clock_sequence, papers_waiting_since,
    papers_counter, settled_at)
select gen_random_uuid(), 2, '{}', 0, 'returned', '2.000908', 'STP', 'counter', 41, 'H10.02-170503-' || n, 'clerk',
    '2017-05-03 01:00Z', false, '[]', '[]', '[]', 2,
    case when n % 50 = 0 then '2017-05-03 01:00Z'::timestamptz end, case when n % 50 = 0 then 41 end,
    case when n % 50 = 1 then '2017-05-03 01:00Z'::timestamptz end
from generate_series(1, 5000) as n
"""


async def test_lists_are_read_from_their_indexes_alone(deployment: Deployment) -> None:
    """A list reads only its own rows, for any number of dossiers."""
    async with opened(deployment) as counter:
        pool = counter.context.pool
        await pool.execute(_MANY)
        await pool.execute("vacuum analyze dossiers")
        noon = at("2017-05-03 12:00")
        for query, index, asked in (
            (store._WAITING_PAPERS, "dossiers_papers_waiting", (False, [2], noon, noon, None, None, None, 100)),
            (store._MISSING_RESULTS, "dossiers_results_missing", (None, None, None, 100)),
        ):
            plan = "\n".join(row[0] for row in await pool.fetch(f"explain (analyze, costs off) {query}", *asked))
            assert f"Index Only Scan using {index} on dossiers" in plan
            assert "Heap Fetches: 0" in plan
        assert len(await counter.listed(MISSING, limit=500)) == 100
