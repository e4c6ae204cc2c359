"""An intake whose time is set: two replicas that judge by what is committed, an importer that speaks for those who
acted, and a kind of time that holds for ever."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.intake.app import build
from shared.kernel.errors import StartError
from shared.service.process import running
from tests.integration.intake.office import KNOWN, House, Office, fresh_key, in_process

START = datetime(2017, 5, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLERK = {"id": "clerk-of-then", "role": "clerk", "counter": 2}
OFFICER = {"id": "officer-of-then", "role": "officer", "department": "STP"}


@pytest.fixture
async def replicas(house: House) -> AsyncIterator[tuple[Office, Office]]:
    """Two processes' worth of one set centre."""
    past = replace(house, starts_at=START)
    async with in_process(past) as (one, _), in_process(past, replica=1) as (two, _):
        yield one, two


async def put(office: Office, now: datetime, accept_until: datetime, who: str = "ops") -> httpx.Response:
    body = {"now": now.isoformat(), "accept_until": accept_until.isoformat()}
    return await office.http.put(f"{office.base}/clock", json=body, headers=office.headers(who))


async def clock(office: Office, who: str = "importer") -> dict[str, Any]:
    return dict((await office.http.get(f"{office.base}/clock", headers=office.headers(who))).json())


def line(act: str, at: datetime, dossier: str, actor: dict[str, Any], **data: Any) -> dict[str, Any]:
    reference = {"foreign": {"system": "then", "code": dossier}}
    instant = at.isoformat()
    return {
        "key": fresh_key(),
        "act": act,
        "dossier": reference,
        "occurred_at": instant,
        "actor": actor,
        "data": data,
    }


def walk_in(at: datetime, dossier: str = "a") -> dict[str, Any]:
    return line("submit", at, dossier, CLERK, procedure=KNOWN, receive={})


async def test_what_one_replica_was_told_the_other_judges_by(replicas: tuple[Office, Office]) -> None:
    """Committed before it is answered, and read in the transaction that judges: no replica lags behind, ever."""
    one, two = replicas
    for hours in range(1, 9):
        until = START + hours * HOUR
        setter, judge = (one, two) if hours % 2 else (two, one)
        assert (await put(setter, START, until)).status_code == 200
        refused, taken = await judge.batch(
            [walk_in(until + HOUR / 3600, f"late-{hours}"), walk_in(until, f"d-{hours}")], "importer"
        )
        assert (refused["status"], refused["problem"]["type"]) == (422, "urn:motcua:problem:occurred-in-future")
        assert taken["status"] == 201


async def test_an_earlier_value_changes_nothing(replicas: tuple[Office, Office]) -> None:
    """It is answered with the present one; each of the two instants only ever grows."""
    one, two = replicas
    stands = {"kind": "simulated", "now": "2017-05-02T02:00:00Z", "accept_until": "2017-05-02T05:00:00Z"}
    assert (await put(one, START + 2 * HOUR, START + 5 * HOUR)).json() == stands
    assert (await put(two, START + HOUR, START + 2 * HOUR)).json() == stands
    assert await clock(one) == stands
    assert (await put(two, START + 3 * HOUR, START + 4 * HOUR)).json() == stands | {"now": "2017-05-02T03:00:00Z"}


async def test_an_act_is_recorded_at_the_later_of_both_times(replicas: tuple[Office, Office]) -> None:
    """Played ahead of the centre's time, an act is recorded when it happened; dated back, when it is told."""
    one, two = replicas
    await put(one, START + 2 * HOUR, START + 4 * HOUR)
    answers = await two.batch(
        [
            walk_in(START - timedelta(days=3)),
            line("take_over", START + 3 * HOUR, "a", OFFICER),
        ],
        "importer",
    )
    assert [answer["status"] for answer in answers] == [201, 200]
    history = (await one.read(answers[0]["dossier_id"], "auditor")).json()["history"]
    assert [(each["occurred_at"], each["recorded_at"], each["actor"]["id"]) for each in history] == [
        ("2017-04-29T00:00:00Z", "2017-05-02T02:00:00Z", "clerk-of-then"),
        ("2017-04-29T00:00:00Z", "2017-05-02T02:00:00Z", "clerk-of-then"),
        ("2017-05-02T03:00:00Z", "2017-05-02T03:00:00Z", "officer-of-then"),
    ]


async def test_an_importers_lines_are_judged_by_the_role_of_then_and_each_alone(
    replicas: tuple[Office, Office],
) -> None:
    """Another department's officer knows of no such dossier; the next line is judged by the state, however sent."""
    one, _ = replicas
    await put(one, START, START + HOUR)
    stranger = OFFICER | {"department": "SYT"}
    answers = await one.batch(
        [
            walk_in(START),
            line("take_over", START, "a", stranger),
            line("take_over", START, "a", CLERK),
            line("take_over", START, "a", OFFICER),
        ],
        "importer",
    )
    assert [answer["status"] for answer in answers] == [201, 404, 403, 200]


@pytest.mark.parametrize("who", ["clerk", "leader", "notify"])
async def test_only_ops_and_importers_have_to_do_with_the_clock(replicas: tuple[Office, Office], who: str) -> None:
    """Nobody at a counter sets the time."""
    one, _ = replicas
    assert (await put(one, START, START + HOUR, who)).status_code == 403
    assert (await one.http.get(f"{one.base}/clock", headers=one.headers(who))).status_code == 403
    assert (await clock(one))["accept_until"] == "2017-05-02T00:00:00Z"


async def test_the_present_is_not_set(house: House) -> None:
    """A centre of the present tells its time, and an importer does nothing there."""
    async with in_process(house) as (office, _):
        refused = await put(office, START, START)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:motcua:problem:clock-not-simulated")
        assert (await clock(office))["kind"] == "system"
        (answer,) = await office.batch([walk_in(START)], "importer")
        assert answer["status"] == 403


@pytest.mark.parametrize(("first", "later"), [(START, None), (None, START)])
async def test_a_centre_keeps_its_kind_of_time(house: House, first: datetime | None, later: datetime | None) -> None:
    """Started again as the other one it ends with a sentence; as the same one it stands where it stood."""
    async with in_process(replace(house, starts_at=first)) as (office, _):
        if first is not None:
            await put(office, START + HOUR, START + HOUR)
    with pytest.raises(StartError, match="from its first start for ever"):
        async with running("intake", replace(house, starts_at=later).settings(0, 0), build):
            pass
    async with in_process(replace(house, starts_at=first and first + 9 * HOUR)) as (office, _):
        if first is not None:
            assert (await clock(office))["now"] == "2017-05-02T01:00:00Z"
