"""Invalid requests are refused as problems, and nothing is stored."""

import asyncio
import json
from typing import Any

import pytest

from tests.integration.intake.deployment import (
    KNOWN,
    WITH_PAPERS,
    Deployment,
    IntakeClient,
    count,
    fresh_key,
    in_process,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROBLEM = "application/problem+json"
DEEP: dict[str, Any] = {}
for _ in range(40):
    DEEP = {"deeper": DEEP}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"[]", 422),
        (b'"text"', 422),
        (b'{"data": {"procedure": "\xff"}}', 400),
        ('{"data": {"procedure": "2"}}'.encode("utf-16"), 400),
        (b'{"data": {"procedure": "a\\u0000b"}}', 400),
        (b'{"data": {"procedure": "a\\ud800b"}}', 400),
        (b'{"data": {"procedure": NaN}}', 400),
        (json.dumps({"data": DEEP}).encode(), 400),
        (b"[" * 100_000, 400),
        (b'{"data": {"procedure": 1' + b"0" * 5000 + b"}}", 400),
    ],
)
async def test_unreadable_body_is_refused(client: IntakeClient, content: bytes, status: int) -> None:
    """Not UTF-8, too deep, NUL, half a surrogate pair, not an object. The key stays unused."""
    key = fresh_key()
    headers = client.headers("clerk", key) | {"Content-Type": "application/json"}
    response = await client.http.post(f"{client.base}/dossiers", content=content, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM)
    assert (await client.submit(key=key)).status_code == 201


async def test_body_that_declares_too_many_bytes_is_refused(client: IntakeClient) -> None:
    """The status is 413, before the body is sent."""
    host, port = client.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = "".join(f"{name}: {value}\r\n" for name, value in client.headers("clerk", fresh_key()).items())
    writer.write(
        f"POST /dossiers HTTP/1.1\r\nHost: {host}\r\n{head}Content-Type: application/json\r\n"
        "Content-Length: 2000000\r\n\r\n".encode()
    )
    assert b" 413 " in await reader.readline()
    writer.close()


async def test_incomplete_body_stores_nothing(deployment: Deployment) -> None:
    """A client that disconnects within its body has no effect."""
    async with in_process(deployment) as (client, context):
        host, port = client.base.removeprefix("http://").split(":")
        body = json.dumps({"data": {"procedure": KNOWN}}).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in client.headers("clerk", fresh_key()).items())
        for cut in (0, 5, len(body) - 1):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                f"POST /dossiers HTTP/1.1\r\nHost: {host}\r\n{head}Content-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body[:cut]
            )
            await writer.drain()
            writer.close()
        assert (await client.submit()).status_code == 201
        assert await count(context.pool, "dossiers") == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"data": {}}, "/data/procedure"),
        ({"data": {"procedure": 5}}, "/data/procedure"),
        ({"data": {"procedure": "a b"}}, "/data/procedure"),
        ({"data": {"procedure": KNOWN, "colour": "red"}}, "/data/colour"),
        ({"data": {"procedure": KNOWN, "channel": "pigeon"}}, "/data/channel"),
        ({"data": {"procedure": KNOWN, "counter": 0}}, "/data/counter"),
        ({"data": {"procedure": KNOWN, "counter": 10**9}}, "/data/counter"),
        ({"data": {"procedure": KNOWN, "department": "nowhere"}}, "/data/department"),
        ({"data": {"procedure": KNOWN, "applicant": {"phone": "unknown"}}}, "/data/applicant/phone"),
        ({"data": {"procedure": KNOWN, "applicant": {"name": "x" * 201}}}, "/data/applicant/name"),
        ({"data": {"procedure": KNOWN, "documents": [{"title": "x", "size": 5}]}}, "/data/documents/0"),
        (
            {"data": {"procedure": WITH_PAPERS, "documents": [{"title": "x", "requirement": "no"}]}},
            "/data/documents/0/requirement",
        ),
        ({"data": {"procedure": KNOWN}, "colour": "red"}, "/colour"),
        ({"data": {"procedure": KNOWN}, "dossier": {"id": "5"}}, "/dossier/id"),
        ({"data": {"procedure": KNOWN}, "dossier": {"id": "550e8400-e29b-41d4-a716-446655440000"}}, "/dossier/id"),
        ({"data": {"procedure": KNOWN}, "dossier": {"code": "H10.02-170428-0001"}}, "/dossier/code"),
        ({"data": {"procedure": KNOWN}, "dossier": {}}, "/dossier"),
        ({"data": {"procedure": KNOWN}, "occurred_at": 1_700_000_000}, "/occurred_at"),
        ({"data": {"procedure": KNOWN}, "occurred_at": "2026-03-02T08:30:00"}, "/occurred_at"),
        ({"data": {"procedure": KNOWN}, "occurred_at": "9999-12-31T23:59:59-14:00"}, "/occurred_at"),
        ({"data": {"procedure": KNOWN}, "occurred_at": "2999-12-31T23:59:59Z"}, "/occurred_at"),
        ({"data": {"procedure": KNOWN}, "actor": {"id": "a b"}}, "/actor/id"),
    ],
)
async def test_invalid_content_is_refused_with_pointers(
    client: IntakeClient, body: dict[str, Any], pointer: str
) -> None:
    """The status is 422 with a JSON pointer to each place."""
    response = await client.submit(**body)
    assert (response.status_code, response.headers["content-type"]) == (422, PROBLEM)
    assert pointer in {error["pointer"] for error in response.json()["errors"]}


@pytest.mark.parametrize("key", [None, "", "with space", "nguyễn", "x" * 201])
async def test_write_without_a_valid_idempotency_key_is_refused(client: IntakeClient, key: str | None) -> None:
    """The status is 422 with a pointer to the header."""
    headers = list(client.headers("clerk").items()) + ([] if key is None else [("Idempotency-Key", key)])
    response = await client.http.post(
        f"{client.base}/dossiers",
        json={"data": {"procedure": KNOWN}},
        headers=[(name.encode(), value.encode()) for name, value in headers],
    )
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"


async def test_request_without_a_valid_api_key_is_refused(client: IntakeClient) -> None:
    """The status is 401 on every route but health."""
    unknown = "00000000-0000-7000-8000-000000000000"
    for method, path in (
        ("POST", "/dossiers"),
        ("POST", f"/dossiers/{unknown}/acts/settle"),
        ("POST", "/acts:batch"),
        ("POST", "/contacts/lookup"),
        ("GET", f"/dossiers/{unknown}"),
        ("GET", "/dossiers?code=H10.02-170428-0001"),
    ):
        kind = "application/x-ndjson" if path == "/acts:batch" else "application/json"
        content = b"{}" if method == "POST" else None
        response = await client.http.request(
            method, client.base + path, content=content, headers={"Content-Type": kind, "Authorization": "Bearer no"}
        )
        assert response.status_code == 401, path


@pytest.mark.parametrize(
    "query", ["code=%00", "code=", "code=x&system=a%00", "code=x&colour=red", "", "code=" + "x" * 101]
)
async def test_invalid_code_query_is_refused(client: IntakeClient, query: str) -> None:
    """It is refused before any query of the database; a NUL makes the address unreadable."""
    response = await client.http.get(f"{client.base}/dossiers?{query}", headers=client.headers("clerk"))
    assert response.status_code == (400 if "%00" in query else 422)


@pytest.mark.parametrize("query", ["wait_for=rain", "reflecting=-1", "timeout=nan", "timeout=31", "wait=1"])
async def test_invalid_wait_query_is_refused(client: IntakeClient, query: str) -> None:
    """A mistyped parameter is not ignored."""
    dossier = (await client.submit()).json()["dossier_id"]
    response = await client.http.get(f"{client.base}/dossiers/{dossier}?{query}", headers=client.headers("clerk"))
    assert response.status_code == 422


async def test_unknown_dossier_or_act_is_not_found(client: IntakeClient) -> None:
    """The status is 404; an invalid id gets 422."""
    unknown = "00000000-0000-7000-8000-000000000000"
    assert (await client.read(unknown)).status_code == 404
    assert (await client.act(unknown, "receive")).status_code == 404
    assert (await client.act(unknown, "dance")).status_code == 404
    assert (await client.act(unknown, "submit")).status_code == 404
    assert (await client.read("17")).status_code == 422


async def test_wrong_media_type_is_refused(client: IntakeClient) -> None:
    """The status is 415 for single acts and batches."""
    for path, kind in (("/dossiers", "text/plain"), ("/acts:batch", "application/json")):
        headers = client.headers("clerk", fresh_key()) | {"Content-Type": kind}
        response = await client.http.post(client.base + path, content=b"{}", headers=headers)
        assert response.status_code == 415, path
