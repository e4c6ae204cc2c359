"""The HTTP application answers every refused request with a problem document."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from starlette.types import Message

from shared.kernel.errors import Refusal, TransientError
from shared.runtime import metrics
from shared.service.bodies import BodyRule, parse_json
from shared.service.health import Health
from shared.service.http import Body, create_app
from shared.service.keys import Caller, KeyRing, Principal, new_key, require, write_keys


class ActNotAllowedError(Refusal):
    """Not possible in state {state}."""

    MEMBERS = ("state",)


class Paper(Body):
    title: str
    size: int


class Parcel(Body):
    papers: list[Paper]
    note: dict[str, Any] | None = None


@dataclass
class Site:
    app: FastAPI
    client: httpx.AsyncClient
    health: Health
    clerk: dict[str, str]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
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
        raise ActNotAllowedError(allowed=["receive"], state="submitted")

    @app.get("/status/{status}")
    async def rejected(status: int) -> None:
        raise HTTPException(status)

    @app.get("/fails/{how}")
    async def fails(how: str) -> None:
        raise {"transient": TransientError("x"), "driver": LookupError("x")}.get(how, RuntimeError("0912345678"))

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://trial") as client:
        yield Site(app, client, health, {"Authorization": f"Bearer {token}"})


PARCEL = "/parcels/018f2c5e-7b1a-7c3d-9e2f-0123456789ab"
JSON = {"Content-Type": "application/json"}


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    return document


async def test_valid_request_is_answered(site: Site) -> None:
    """A valid request reaches its handler."""
    answer = await site.client.post(PARCEL, json={"papers": [{"title": "Đơn đề nghị", "size": 3}]})
    assert (answer.status_code, answer.json()["papers"]) == (200, 1)


async def test_refusal_is_answered_as_a_problem(site: Site) -> None:
    """A problem has type, detail, what is allowed instead, and the refusal's own members."""
    document = problem(await site.client.get("/refused"), 409)
    assert document["type"] == "urn:motcua:problem:act-not-allowed"
    assert (document["detail"], document["allowed"], document["state"]) == (
        "Not possible in state submitted.",
        ["receive"],
        "submitted",
    )


async def test_invalid_content_has_a_pointer_per_place(site: Site) -> None:
    """All invalid places are reported at once by JSON pointers, without the values."""
    body = {"papers": [{"title": "secret words", "size": "secret words"}], "colour": 1}
    answer = await site.client.post(PARCEL + "?limit=many", json=body)
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
        (b'{"papers": [], "papers": []}', "the member 'papers' occurs twice in one object"),
        (b'{"papers": [{"size": 1, "size": 2}]}', "the member 'size' occurs twice in one object"),
        (b'{"papers": [], "note": {"a": 1e999}}', "a number is larger"),
        (b'{"papers": [], "note": {"a": 99999999999999999999}}', "a number is larger"),
        (b'{"papers": [], "note": {"a": ' + b"9" * 5000 + b"}}", "too many digits"),
        (b'{"papers": [], "note": {"a": "\\u0000"}}', "NUL"),
        (b'{"papers": [], "note": {"\\ud800": 1}}', "surrogate"),
    ],
)
async def test_unreadable_body_is_rejected(site: Site, body: bytes, complaint: str) -> None:
    """A body that cannot be parsed or stored is rejected before it reaches a handler."""
    document = problem(await site.client.post(PARCEL, content=body, headers=JSON), 400)
    assert complaint in document["detail"]


@pytest.mark.parametrize(
    ("raw", "place"),
    [(b"garbage", "Expecting value at column 1 of this line."), (b'{"a": "\xff"}', "byte 7 of this line.")],
)
def test_error_in_a_line_has_the_column_of_the_line(raw: bytes, place: str) -> None:
    """An error in a line of a body has the column in this line."""
    with pytest.raises(Refusal) as refused:
        parse_json(raw, line=True)
    assert refused.value.detail.endswith(place)


async def test_nul_in_the_address_is_rejected(site: Site) -> None:
    """The character NUL in an address is rejected, since no text column can store it."""
    problem(await site.client.get("/who?name=%00"), 400)


async def test_body_with_too_large_declared_length_is_rejected(site: Site) -> None:
    """A body with a too large declared length is not read."""
    problem(await site.client.post(PARCEL, content=b"x" * 10_001, headers=JSON), 413)


async def test_body_with_too_many_bytes_is_rejected(site: Site) -> None:
    """Without a declared length, the received bytes count."""
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 1000

    problem(await site.client.post(PARCEL, content=endless(), headers=JSON), 413)
    assert taken < 15


@pytest.mark.parametrize("path", [PARCEL, "/lines"])
@pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data", ""])
async def test_other_media_type_is_rejected(site: Site, path: str, media_type: str) -> None:
    """A body with another media type than the address accepts is rejected."""
    headers = {"Content-Type": media_type} if media_type else {}
    document = problem(await site.client.post(path, content=b"x", headers=headers), 415)
    assert document["allowed"]


async def test_streamed_body_has_no_total_limit(site: Site) -> None:
    """A streamed body has no limit of bytes."""
    headers = {"Content-Type": "application/x-ndjson; charset=utf-8"}
    answer = await site.client.post("/lines", content=b"x" * 50_000, headers=headers)
    assert answer.json() == {"bytes": 50_000}


async def _half_sent(site: Site, path: str, media_type: bytes, *, then: str) -> list[Message]:
    """The answer to half a body, after which the client sends nothing (`stall`) or disconnects (`disconnect`)."""
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
        await site.app(scope, receive, send)
    return sent


@pytest.mark.parametrize(("path", "media_type"), [(PARCEL, b"application/json"), ("/lines", b"application/x-ndjson")])
async def test_incomplete_body_is_answered_408(site: Site, path: str, media_type: bytes) -> None:
    """A request whose body stops arriving is answered 408."""
    sent = await _half_sent(site, path, media_type, then="stall")
    assert sent[0]["status"] == 408


async def test_disconnected_client_is_not_answered(site: Site) -> None:
    """An incomplete request of a disconnected client has no answer."""
    assert await _half_sent(site, PARCEL, b"application/json", then="disconnect") == []


async def test_unknown_address_is_a_problem(site: Site) -> None:
    """An unknown address is answered 404 with a problem document."""
    assert problem(await site.client.get("/nowhere"), 404)["type"] == "urn:motcua:problem:not-found"


async def test_unsupported_method_lists_the_supported_ones(site: Site) -> None:
    """A 405 lists the supported methods in the header and in the problem."""
    answer = await site.client.delete("/who")
    assert problem(answer, 405)["allowed"] == ["GET"]
    assert answer.headers["allow"] == "GET"


async def test_status_without_a_refusal_class_is_a_problem(site: Site) -> None:
    """A status of the framework without a refusal class gets its phrase as name."""
    document = problem(await site.client.get("/status/406"), 406)
    assert (document["type"], document["detail"]) == ("urn:motcua:problem:not-acceptable", "Not Acceptable")


async def test_unexpected_error_shows_no_internals(site: Site) -> None:
    """A 500 has the request id, and no internals."""
    answer = await site.client.get("/fails/otherwise", headers={"X-Request-Id": "r-77"})
    assert problem(answer, 500)["detail"] == "Unexpected error. Report the request id r-77 to the operators."
    assert "0912345678" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("how", ["transient", "driver"])
async def test_transient_error_is_answered_503(site: Site, how: str) -> None:
    """A transient error is answered 503, with the time after which to retry."""
    answer = await site.client.get(f"/fails/{how}")
    problem(answer, 503)
    assert answer.headers["retry-after"] == "1"


async def test_request_without_a_key_is_rejected(site: Site) -> None:
    """A 401 names the authentication scheme."""
    answer = await site.client.get("/who")
    problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("value", ["Bearer motcua_wrong", "Basic YTpi", "Bearer", "Bearer é"])
async def test_request_with_an_invalid_key_is_rejected(site: Site, value: str) -> None:
    """Another scheme or an unknown key is answered 401."""
    headers = {"Authorization": value.encode("utf-8")}
    problem(await site.client.get("/who", headers=headers), 401)  # type: ignore[arg-type]


async def test_key_identifies_the_caller(site: Site) -> None:
    """A handler receives the caller of the key."""
    answer = await site.client.get("/who", headers=site.clerk)
    assert answer.json() == "clerk-1"


async def test_role_without_permission_is_rejected(site: Site) -> None:
    """A 403 lists the permitted roles."""
    document = problem(await site.client.get("/leaders", headers=site.clerk), 403)
    assert document["allowed"] == ["auditor", "leader"]


async def test_progress_has_reasons_and_the_catalogue_version(site: Site) -> None:
    """A part without progress is 503 with its reason, otherwise 200; both have the catalogue version."""
    site.health.register("consumer", lambda: "no progress for 70 s")
    answer = await site.client.get("/progress")
    assert (answer.status_code, answer.json()["parts"]) == (
        503,
        {"consumer": {"ok": False, "reason": "no progress for 70 s"}},
    )
    assert (await site.client.get("/readyz")).status_code == 200, "requests can be answered all the same"
    site.health.register("consumer", lambda: None)
    answer = await site.client.get("/progress")
    shown = answer.json()
    assert (answer.status_code, shown["advancing"], shown["catalogue_version"]) == (200, True, "sha256:ab")


async def test_readiness_has_reasons_and_the_catalogue_version(site: Site) -> None:
    """Not ready is 503 with the reasons, ready is 200; both have the catalogue version."""
    reasons = ["no answer", None]

    async def database() -> str | None:
        return reasons.pop(0)

    site.health.require("database", database)
    answer = await site.client.get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, {"database": "no answer"})
    answer = await site.client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"], answer.json()["catalogue_version"]) == (200, True, "sha256:ab")


async def test_plain_request_id_is_used(site: Site) -> None:
    """A plain request id of the client is used; any other is replaced, since it is logged."""
    assert (await site.client.get("/healthz", headers={"X-Request-Id": "abc-1"})).headers["x-request-id"] == "abc-1"
    other = (await site.client.get("/healthz", headers={"X-Request-Id": "a b\t{}"})).headers["x-request-id"]
    assert len(other) == 32


async def test_latency_is_measured_by_route(site: Site) -> None:
    """The label is the pattern of the route, never the path."""
    await site.client.post(PARCEL, json={"papers": []})
    await site.client.get("/nowhere/0912345678")
    text = metrics.render().decode()
    assert 'route="/parcels/{parcel_id}",status="200"' in text
    assert 'route="unmatched",status="404"' in text
    assert "0912345678" not in text


async def test_openapi_describes_problems_and_keys(site: Site) -> None:
    """/openapi.json describes the problem document and the API key."""
    described = (await site.client.get("/openapi.json")).json()
    assert "default" in described["paths"]["/who"]["get"]["responses"]
    assert described["paths"]["/who"]["get"]["security"] == [{"HTTPBearer": []}]
    assert json.dumps(described).count("HTTPValidationError") == 0
