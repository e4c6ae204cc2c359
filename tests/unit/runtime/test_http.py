"""The house's HTTP application says no in one form, whatever it is sent."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.types import Message

from shared.kernel.errors import ExpectedError, Refusal, TransientError
from shared.runtime import metrics
from shared.service.bodies import BodyRule, parse_json
from shared.service.health import Health
from shared.service.http import Body, create_app
from shared.service.keys import Caller, KeyRing, Principal, new_key, require, write_keys


class Paper(Body):
    title: str
    size: int


class Parcel(Body):
    papers: list[Paper]
    note: dict[str, Any] | None = None


@dataclass
class House:
    app: FastAPI
    client: httpx.AsyncClient
    health: Health
    clerk: dict[str, str]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    token, entry = new_key("clerk-1", "clerk", counter=1)
    write_keys(tmp_path / "keys.toml", [entry])
    health = Health()
    stream = BodyRule(media_types=("application/x-ndjson",), limit_bytes=None, streamed=True, idle_seconds=0.2)
    app = create_app(
        "trial",
        health=health,
        keys=KeyRing(tmp_path / "keys.toml"),
        catalogue_version="sha256:ab",
        body_rules={"/lines": stream},
        default_body_rule=BodyRule(limit_bytes=10_000, idle_seconds=0.2, whole_seconds=0.5),
        transient_errors=(LookupError,),
    )
    router = APIRouter(prefix="/parcels")

    @router.post("/{parcel_id}")
    async def post(parcel_id: UUID, parcel: Parcel, limit: int = 1) -> dict[str, Any]:
        return {"id": parcel_id, "papers": len(parcel.papers)}

    app.include_router(router)

    @app.post("/lines")
    async def lines(request: Request) -> dict[str, int]:
        return {"bytes": sum([len(chunk) async for chunk in request.stream()])}

    @app.get("/who")
    async def who(caller: Caller) -> str:
        return caller.actor.id

    @app.get("/leaders")
    async def leaders(caller: Annotated[Principal, Depends(require("leader", "auditor"))]) -> str:
        return caller.actor.id

    @app.get("/refused")
    async def refused() -> None:
        raise ExpectedError("wrong-state", "not now", allowed=["receive"], more={"state": "submitted"})

    @app.get("/fails/{how}")
    async def fails(how: str) -> None:
        raise {"transient": TransientError("x"), "driver": LookupError("x")}.get(how, RuntimeError("0912345678"))

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://trial") as client:
        yield House(app, client, health, {"Authorization": f"Bearer {token}"})


PARCEL = "/parcels/018f2c5e-7b1a-7c3d-9e2f-0123456789ab"
JSON = {"Content-Type": "application/json"}


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    return document


async def test_good_request_passes(house: House) -> None:
    """The house stands in nobody's way."""
    answer = await house.client.post(PARCEL, json={"papers": [{"title": "Đơn đề nghị", "size": 3}]})
    assert (answer.status_code, answer.json()["papers"]) == (200, 1)


async def test_refusal_by_a_rule_is_a_problem(house: House) -> None:
    """type, detail, what is allowed instead, and the refusal's own members."""
    document = problem(await house.client.get("/refused"), 409)
    assert document["type"] == "urn:motcua:problem:wrong-state"
    assert (document["detail"], document["allowed"], document["state"]) == ("not now", ["receive"], "submitted")


async def test_invalid_content_points_at_each_place(house: House) -> None:
    """JSON pointers, all faults at once, and nothing of what was sent."""
    body = {"papers": [{"title": "secret words", "size": "secret words"}], "colour": 1}
    answer = await house.client.post(PARCEL + "?limit=many", json=body)
    document = problem(answer, 422)
    assert {fault["pointer"] for fault in document["errors"]} == {"/query/limit", "/papers/0/size", "/colour"}
    assert "secret words" not in answer.text


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b'{"papers": [}', "not JSON"),
        (b'{"papers": "\xff\xfe"}', "not UTF-8"),
        ('{"papers": []}'.encode("utf-16"), "not UTF-8"),
        (b"[" * 5000 + b"]" * 5000, "nested deeper"),
        (b'{"papers": [], "note": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}", "nested deeper"),
        (b'{"papers": [], "note": {"a": NaN}}', "NaN"),
        (b'{"papers": [], "papers": []}', "the member 'papers' stands twice in one object"),
        (b'{"papers": [{"size": 1, "size": 2}]}', "the member 'size' stands twice in one object"),
        (b'{"papers": [], "note": {"a": 1e999}}', "a number is larger"),
        (b'{"papers": [], "note": {"a": 99999999999999999999}}', "a number is larger"),
        (b'{"papers": [], "note": {"a": ' + b"9" * 5000 + b"}}", "too many digits"),
        (b'{"papers": [], "note": {"a": "\\u0000"}}', "NUL"),
        (b'{"papers": [], "note": {"\\ud800": 1}}', "surrogate"),
    ],
)
async def test_unreadable_body_is_refused_without_harm(house: House, body: bytes, complaint: str) -> None:
    """What no database keeps and no parser should follow is refused before any handler sees it."""
    document = problem(await house.client.post(PARCEL, content=body, headers=JSON), 400)
    assert complaint in document["detail"]


@pytest.mark.parametrize(
    ("raw", "place"),
    [(b"garbage", "Expecting value at column 1 of this line"), (b'{"a": "\xff"}', "byte 7 of this line")],
)
def test_a_line_of_a_body_is_told_by_its_own_columns(raw: bytes, place: str) -> None:
    """Which line it is, whoever reads it says."""
    with pytest.raises(Refusal) as refused:
        parse_json(raw, line=True)
    assert refused.value.detail.endswith(place)


async def test_nul_in_the_address_is_refused(house: House) -> None:
    """No text column takes the character NUL."""
    problem(await house.client.get("/who?name=%00"), 400)


async def test_too_large_body_is_refused_by_its_declared_length(house: House) -> None:
    """A body that says it is too large is not read."""
    problem(await house.client.post(PARCEL, content=b"x" * 10_001, headers=JSON), 413)


async def test_too_large_body_is_refused_by_its_real_length(house: House) -> None:
    """Without a declared length the bytes that arrive count."""
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 1000

    problem(await house.client.post(PARCEL, content=endless(), headers=JSON), 413)
    assert taken < 15


@pytest.mark.parametrize("path", [PARCEL, "/lines"])
@pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data", ""])
async def test_other_media_type_is_refused(house: House, path: str, media_type: str) -> None:
    """A body is read as what its address takes, or not at all."""
    headers = {"Content-Type": media_type} if media_type else {}
    document = problem(await house.client.post(path, content=b"x", headers=headers), 415)
    assert document["allowed"]


async def test_streamed_body_has_no_total_limit(house: House) -> None:
    """An address that takes a stream takes a long one."""
    headers = {"Content-Type": "application/x-ndjson; charset=utf-8"}
    answer = await house.client.post("/lines", content=b"x" * 50_000, headers=headers)
    assert answer.json() == {"bytes": 50_000}


async def _half_sent(house: House, path: str, media_type: bytes, *, then: str) -> list[Message]:
    """Send half a body, then nothing more (`silence`) or hang up (`disconnect`); the answer's messages."""
    pieces: list[Message] = [{"type": "http.request", "body": b'{"pap', "more_body": True}]
    if then == "disconnect":
        pieces.append({"type": "http.disconnect"})
    sent: list[Message] = []

    async def receive() -> Message:
        if pieces:
            return pieces.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", media_type)],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    async with asyncio.timeout(5):
        await house.app(scope, receive, send)
    return sent


@pytest.mark.parametrize(("path", "media_type"), [(PARCEL, b"application/json"), ("/lines", b"application/x-ndjson")])
async def test_half_sent_body_does_not_hang(house: House, path: str, media_type: bytes) -> None:
    """A client that falls silent in mid-body is answered 408 and let go."""
    sent = await _half_sent(house, path, media_type, then="silence")
    assert sent[0]["status"] == 408


async def test_client_that_hangs_up_is_not_answered(house: House) -> None:
    """Nobody waits for the answer to half a request."""
    assert await _half_sent(house, PARCEL, b"application/json", then="disconnect") == []


async def test_unknown_address_is_a_problem(house: House) -> None:
    """404 in the house's form."""
    assert problem(await house.client.get("/nowhere"), 404)["type"] == "urn:motcua:problem:not-found"


async def test_wrong_method_names_the_right_ones(house: House) -> None:
    """405 says what is allowed, in the header and in the problem."""
    answer = await house.client.delete("/who")
    assert problem(answer, 405)["allowed"] == ["GET"]
    assert answer.headers["allow"] == "GET"


async def test_unforeseen_error_shows_no_internals(house: House) -> None:
    """500 gives the request's id to ask about, nothing more."""
    answer = await house.client.get("/fails/otherwise", headers={"X-Request-Id": "r-77"})
    assert problem(answer, 500)["detail"].endswith("r-77")
    assert "0912345678" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("how", ["transient", "driver"])
async def test_passing_trouble_asks_to_send_again(house: House, how: str) -> None:
    """A database away for a second is not the client's fault and not an error of ours."""
    answer = await house.client.get(f"/fails/{how}")
    problem(answer, 503)
    assert answer.headers["retry-after"] == "1"


async def test_call_without_a_key_is_refused(house: House) -> None:
    """401 says how to identify oneself."""
    answer = await house.client.get("/who")
    problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("value", ["Bearer motcua_wrong", "Basic YTpi", "Bearer", "Bearer é"])
async def test_call_with_a_wrong_key_is_refused(house: House, value: str) -> None:
    """Another scheme or an unknown key is nobody."""
    headers = {"Authorization": value.encode("utf-8")}
    problem(await house.client.get("/who", headers=headers), 401)  # type: ignore[arg-type]


async def test_key_names_its_caller(house: House) -> None:
    """The handler learns who calls from the key alone."""
    answer = await house.client.get("/who", headers=house.clerk)
    assert answer.json() == "clerk-1"


async def test_role_that_may_not_is_refused(house: House) -> None:
    """403 names the roles that may."""
    document = problem(await house.client.get("/leaders", headers=house.clerk), 403)
    assert document["allowed"] == ["auditor", "leader"]


async def test_readiness_tells_reasons_and_catalogue(house: House) -> None:
    """Not ready is 503 with each part's reason; ready is 200; both name the catalogue that was read."""
    house.health.register("consumer", lambda: "no progress for 70 s")
    answer = await house.client.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, {"consumer": "no progress for 70 s"})
    house.health.register("consumer", lambda: None)
    answer = await house.client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"], answer.json()["catalogue_version"]) == (200, True, "sha256:ab")


async def test_request_id_is_kept_or_given(house: House) -> None:
    """A plain id of the caller is kept; anything else is replaced, since it ends up in logs."""
    assert (await house.client.get("/healthz", headers={"X-Request-Id": "abc-1"})).headers["x-request-id"] == "abc-1"
    other = (await house.client.get("/healthz", headers={"X-Request-Id": "a b\t{}"})).headers["x-request-id"]
    assert len(other) == 32


async def test_latency_is_measured_by_route(house: House) -> None:
    """The label is the route's pattern; a path would make endless values and could name a dossier."""
    await house.client.post(PARCEL, json={"papers": []})
    await house.client.get("/nowhere/0912345678")
    text = metrics.render().decode()
    assert 'route="/parcels/{parcel_id}",status="200"' in text
    assert 'route="unmatched",status="404"' in text
    assert "0912345678" not in text


async def test_described_api_has_the_problem_form(house: House) -> None:
    """/openapi.json tells a client what a refusal looks like, and that a key is needed."""
    described = (await house.client.get("/openapi.json")).json()
    assert "default" in described["paths"]["/who"]["get"]["responses"]
    assert described["paths"]["/who"]["get"]["security"] == [{"HTTPBearer": []}]
    assert json.dumps(described).count("HTTPValidationError") == 0
