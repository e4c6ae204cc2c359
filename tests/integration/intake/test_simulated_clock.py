"""Intake with a simulated clock: replicas use the committed time, importers act for others, the kind never changes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.intake.app import build
from shared.kernel.errors import StartError
from shared.service.process import running
from tests.integration.intake.deployment import KNOWN, Deployment, IntakeClient, fresh_key, in_process

START = datetime(2017, 5, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLERK = {"id": "clerk-of-then", "role": "clerk", "counter": 2}
OFFICER = {"id": "officer-of-then", "role": "officer", "department": "STP"}


@pytest.fixture
async def replicas(deployment: Deployment) -> AsyncIterator[tuple[IntakeClient, IntakeClient]]:
    """Two replicas of one centre with a simulated clock."""
    past = replace(deployment, starts_at=START)
    async with in_process(past) as (one, _), in_process(past, replica=1) as (two, _):
        yield one, two


async def put(client: IntakeClient, now: datetime, accept_until: datetime, who: str = "ops") -> httpx.Response:
    """PUT /clock."""
    body = {"now": now.isoformat(), "accept_until": accept_until.isoformat()}
    return await client.http.put(f"{client.base}/clock", json=body, headers=client.headers(who))


async def clock(client: IntakeClient, who: str = "importer") -> dict[str, Any]:
    """GET /clock."""
    return dict((await client.http.get(f"{client.base}/clock", headers=client.headers(who))).json())


def line(act: str, at: datetime, dossier: str, actor: dict[str, Any], **data: Any) -> dict[str, Any]:
    """A line of a batch with the instant and the actor of an act."""
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
    """A line that submits and receives a dossier."""
    return line("submit", at, dossier, CLERK, procedure=KNOWN, receive={})


async def test_replicas_use_the_committed_clock(replicas: tuple[IntakeClient, IntakeClient]) -> None:
    """An advance is committed before it is answered, and each transaction reads it again."""
    one, two = replicas
    for hours in range(1, 9):
        until = START + hours * HOUR
        setter, other = (one, two) if hours % 2 else (two, one)
        assert (await put(setter, START, until)).status_code == 200
        refused, taken = await other.batch(
            [walk_in(until + HOUR / 3600, f"late-{hours}"), walk_in(until, f"d-{hours}")], "importer"
        )
        assert (refused["status"], refused["problem"]["type"]) == (422, "urn:motcua:problem:occurred-in-future")
        assert taken["status"] == 201


async def test_earlier_clock_value_changes_nothing(replicas: tuple[IntakeClient, IntakeClient]) -> None:
    """The answer is the current value; each of both instants only increases."""
    one, two = replicas
    current = {"kind": "simulated", "now": "2017-05-02T02:00:00Z", "accept_until": "2017-05-02T05:00:00Z"}
    assert (await put(one, START + 2 * HOUR, START + 5 * HOUR)).json() == current
    assert (await put(two, START + HOUR, START + 2 * HOUR)).json() == current
    assert await clock(one) == current
    assert (await put(two, START + 3 * HOUR, START + 4 * HOUR)).json() == current | {"now": "2017-05-02T03:00:00Z"}


async def test_act_is_recorded_at_the_later_of_instant_and_clock(replicas: tuple[IntakeClient, IntakeClient]) -> None:
    """An act ahead of the clock is recorded at its own instant, one that is dated back at the clock's time."""
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


async def test_importers_lines_are_independent_and_checked_by_the_named_role(
    replicas: tuple[IntakeClient, IntakeClient],
) -> None:
    """A refused line does not affect later ones of its dossier."""
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
async def test_clock_of_another_role_is_refused(replicas: tuple[IntakeClient, IntakeClient], who: str) -> None:
    """Only ops and importers read and advance the clock."""
    one, _ = replicas
    assert (await put(one, START, START + HOUR, who)).status_code == 403
    assert (await one.http.get(f"{one.base}/clock", headers=one.headers(who))).status_code == 403
    assert (await clock(one))["accept_until"] == "2017-05-02T00:00:00Z"


async def test_system_clock_is_not_advanced(deployment: Deployment) -> None:
    """It can be read, and an importer may not act."""
    async with in_process(deployment) as (client, _):
        refused = await put(client, START, START)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:motcua:problem:clock-not-simulated")
        assert (await clock(client))["kind"] == "system"
        (answer,) = await client.batch([walk_in(START)], "importer")
        assert answer["status"] == 403


@pytest.mark.parametrize(("first", "later"), [(START, None), (None, START)])
async def test_kind_of_clock_never_changes(
    deployment: Deployment, first: datetime | None, later: datetime | None
) -> None:
    """A start with the other kind fails; a start with the same kind has the stored time."""
    async with in_process(replace(deployment, starts_at=first)) as (client, _):
        if first is not None:
            await put(client, START + HOUR, START + HOUR)
    with pytest.raises(StartError, match="the kind never changes"):
        async with running("intake", replace(deployment, starts_at=later).settings(0, 0), build):
            pass
    async with in_process(replace(deployment, starts_at=first and first + 9 * HOUR)) as (client, _):
        if first is not None:
            assert (await clock(client))["now"] == "2017-05-02T01:00:00Z"
