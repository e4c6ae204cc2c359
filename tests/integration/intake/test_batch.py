"""`POST /acts:batch`: NDJSON in both directions, committed in blocks."""

import asyncio
import json
from typing import Any

import pytest

from services.intake.dossiers.executor import MAX_BLOCK
from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.intake.deployment import KNOWN, Deployment, IntakeClient, count, fresh_key, in_process

pytestmark = pytest.mark.asyncio(loop_scope="module")


def line(act: str, dossier: dict[str, Any] | None, key: str | None = None, **more: Any) -> dict[str, Any]:
    """A line with one act."""
    found = {"key": key or fresh_key(), "act": act, **more}
    return found if dossier is None else found | {"dossier": dossier}


def walk_in(dossier: dict[str, Any] | None = None, key: str | None = None, **data: Any) -> dict[str, Any]:
    """A line that submits and receives a dossier."""
    return line("submit", dossier, key, data={"procedure": KNOWN, "receive": {}, **data})


def new_id() -> str:
    """A dossier's id that a client chooses."""
    return str(uuid7(machine_now()))


async def test_batch_answers_each_line_in_order(client: IntakeClient) -> None:
    """Lines name dossiers by id, code or foreign code; answers are numbered from 1."""
    known = await client.walk_in(foreign_codes=[{"system": "portal", "code": "A/1"}])
    mine = new_id()
    lines = [
        walk_in({"id": mine}),
        line("record_step", {"id": mine}, data={"activity": "copied"}),
        line("record_step", {"code": known["code"]}, data={"activity": "copied"}),
        line("record_step", {"foreign": {"system": "portal", "code": "A/1"}}, data={"activity": "bound"}),
        walk_in({"foreign": {"system": "portal", "code": "A/2"}}),
        line("record_step", {"foreign": {"system": "portal", "code": "A/2"}}, data={"activity": "copied"}),
    ]
    answers = await client.batch(lines)
    assert [answer["status"] for answer in answers] == [201, 200, 200, 200, 201, 200]
    assert [answer["line"] for answer in answers] == [1, 2, 3, 4, 5, 6]
    assert [answer["key"] for answer in answers] == [one["key"] for one in lines]
    assert [answer["sequence"] for answer in answers] == [2, 3, 3, 4, 2, 3]
    assert set(answers[0]) == {"line", "key", "status", "dossier_id", "code", "sequence"}
    assert answers[0]["dossier_id"] == mine
    assert answers[4]["dossier_id"] == answers[5]["dossier_id"]


async def test_lines_after_a_failed_one_of_the_same_dossier_are_refused(client: IntakeClient) -> None:
    """They get 424 in later blocks, too, and under any name of the dossier; other dossiers are not affected."""
    good, bad = await client.walk_in(), await client.walk_in()
    lines = [
        line("return_result", {"id": bad["dossier_id"]}, data={"way": "post"}),
        line("record_step", {"id": bad["dossier_id"]}, data={"activity": "copied"}),
        *(line("record_step", {"id": good["dossier_id"]}, data={"activity": f"{n}"}) for n in range(MAX_BLOCK)),
        line("record_step", {"code": bad["code"]}, data={"activity": "copied"}),
        line("record_step", {"foreign": {"system": "x", "code": "nowhere"}}, data={"activity": "copied"}),
        line("record_step", {"foreign": {"system": "x", "code": "nowhere"}}, data={"activity": "copied"}),
    ]
    statuses = [answer["status"] for answer in await client.batch(lines)]
    assert statuses == [409, 424, *([200] * MAX_BLOCK), 424, 404, 424]


async def test_line_with_invalid_content_fails_only_its_dossier(client: IntakeClient) -> None:
    """The line gets 422 with pointers, later lines of its dossier 424."""
    dossier = (await client.walk_in())["dossier_id"]
    answers = await client.batch(
        [
            line("record_step", {"id": dossier}, data={"activity": 5, "who": "x"}),
            line("record_step", {"id": dossier}, data={"activity": "copied"}),
            line("record_step", {"id": dossier}, occurred_at="yesterday"),
            walk_in(),
        ]
    )
    assert [answer["status"] for answer in answers] == [422, 424, 422, 201]
    pointers = {error["pointer"] for error in answers[0]["problem"]["errors"]}
    assert pointers == {"/data/activity", "/data/who"}


async def test_unreadable_lines_are_refused_one_by_one(client: IntakeClient) -> None:
    """Invalid JSON or UTF-8, NUL, too deep, too long, not an object, no key: the other lines are executed."""
    answers = await client.batch(
        [
            b"{nonsense\n",
            b'{"key": "\xff"}\n',
            b'{"key": "a\\u0000b"}\n',
            b"[" * 5000 + b"]" * 5000 + b"\n",
            b'{"key": "' + b"x" * 300_000 + b'"}\n',
            b"[1]\n",
            b'{"act": "submit"}\n',
            b"\n",
            walk_in(),
        ]
    )
    assert [answer["status"] for answer in answers] == [400, 400, 400, 400, 413, 422, 422, 201]
    assert answers[-1]["line"] == 9


async def test_key_repeated_in_a_batch_takes_effect_once(client: IntakeClient) -> None:
    """Both lines get the same answer; a different line with the key is refused."""
    first = walk_in(key="twice")
    answers = await client.batch([first, first, walk_in(key="twice", channel="post")])
    assert [answer["status"] for answer in answers] == [201, 201, 422]
    assert answers[0]["dossier_id"] == answers[1]["dossier_id"]
    assert answers[0]["code"] == answers[1]["code"]


async def test_repeated_batch_gets_the_same_answers(deployment: Deployment) -> None:
    """A key of a batch is also known to single requests, and nothing changes."""
    async with in_process(deployment) as (client, context):
        lines = [walk_in() for _ in range(50)]
        first = await client.batch(lines)
        events = await count(context.pool, "events")
        assert await client.batch(lines) == first
        single = await client.submit(key=lines[0]["key"], data=lines[0]["data"])
        assert single.json()["dossier_id"] == first[0]["dossier_id"]
        assert await count(context.pool, "events") == events == 100


async def test_interrupted_batch_can_be_repeated(deployment: Deployment) -> None:
    """Complete lines may have taken effect, the incomplete one has not; a repetition executes the rest once."""
    async with in_process(deployment) as (client, context):
        lines = [walk_in({"id": new_id()}) for _ in range(1200)]
        content = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
        host, port = client.base.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = (
            f"POST /acts:batch HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {client.tokens['clerk']}\r\n"
            f"Content-Type: application/x-ndjson\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content[: len(content) * 2 // 3])
        await writer.drain()
        writer.close()
        answers = await client.batch(lines)
        assert [answer["status"] for answer in answers] == [201] * 1200
        assert [answer["dossier_id"] for answer in answers] == [one["dossier"]["id"] for one in lines]
        assert len({answer["code"] for answer in answers}) == 1200
        assert await count(context.pool, "events") == 2400


async def test_batch_answers_while_lines_are_sent(client: IntakeClient) -> None:
    """A client that waits for the answer to each line gets it at once."""
    host, port = client.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /acts:batch HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {client.tokens['clerk']}\r\n"
        "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    writer.write(head.encode())
    dossier = new_id()
    for act, state in (("submit", 201), ("withdraw", 200)):
        data = {"procedure": KNOWN} if act == "submit" else {}
        content = json.dumps(line(act, {"id": dossier}, data=data)).encode() + b"\n"
        writer.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        async with asyncio.timeout(10):
            while not (text := await reader.readline()).startswith(b'{"line"'):
                pass
        assert json.loads(text)["status"] == state
    writer.write(b"0\r\n\r\n")
    async with asyncio.timeout(10):
        await reader.readuntil(b"\r\n0\r\n\r\n")  # the response ends properly
    writer.close()


async def test_line_with_another_actor_is_refused(client: IntakeClient) -> None:
    """The line gets 403; naming the key's own actor is accepted."""
    answers = await client.batch(
        [walk_in() | {"actor": {"id": "clerk-41"}}, walk_in() | {"actor": {"kind": "person", "id": "clerk"}}]
    )
    assert [answer["status"] for answer in answers] == [403, 201]


async def test_concurrent_batches_over_the_same_dossiers_do_not_deadlock(deployment: Deployment) -> None:
    """A block locks its dossiers in id order, in any order of its lines."""
    async with in_process(deployment) as (client, context):
        dossiers = [new_id() for _ in range(300)]
        assert {answer["status"] for answer in await client.batch(walk_in({"id": one}) for one in dossiers)} == {201}
        steps = [
            [line("record_step", {"id": one}, data={"activity": "x"}) for one in order]
            for order in (dossiers, dossiers[::-1], dossiers[1::2] + dossiers[::2])
        ]
        for answers in await asyncio.gather(*(client.batch(lines) for lines in steps)):
            assert {answer["status"] for answer in answers} == {200}
        assert await count(context.pool, "events") == 300 * 5
