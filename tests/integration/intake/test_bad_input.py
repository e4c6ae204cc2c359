"""What nobody should send: refused as a problem, nothing stored, and the service goes on."""

import asyncio
import json
from typing import Any

import pytest

from tests.integration.intake.office import KNOWN, WITH_PAPERS, House, Office, count, fresh_key, in_process

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
async def test_a_body_that_cannot_be_read_is_refused(office: Office, content: bytes, status: int) -> None:
    """Not UTF-8, too deep, NUL, half a surrogate, no object. The key is free for the body that was meant."""
    key = fresh_key()
    headers = office.headers("clerk", key) | {"Content-Type": "application/json"}
    response = await office.http.post(f"{office.base}/dossiers", content=content, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM)
    assert (await office.submit(key=key)).status_code == 201


async def test_an_oversized_body_is_refused_by_what_it_declares(office: Office) -> None:
    """413 before it is sent."""
    host, port = office.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = "".join(f"{name}: {value}\r\n" for name, value in office.headers("clerk", fresh_key()).items())
    writer.write(
        f"POST /dossiers HTTP/1.1\r\nHost: {host}\r\n{head}Content-Type: application/json\r\n"
        "Content-Length: 2000000\r\n\r\n".encode()
    )
    assert b" 413 " in await reader.readline()
    writer.close()


async def test_half_a_body_stores_nothing(house: House) -> None:
    """A client that hangs up in the middle leaves no dossier and no harm."""
    async with in_process(house) as (office, context):
        host, port = office.base.removeprefix("http://").split(":")
        body = json.dumps({"data": {"procedure": KNOWN}}).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in office.headers("clerk", fresh_key()).items())
        for cut in (0, 5, len(body) - 1):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                f"POST /dossiers HTTP/1.1\r\nHost: {host}\r\n{head}Content-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body[:cut]
            )
            await writer.drain()
            writer.close()
        assert (await office.submit()).status_code == 201
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
        ({"data": {"procedure": KNOWN, "applicant": {"phone": "nobody"}}}, "/data/applicant/phone"),
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
async def test_wrong_content_is_named_place_by_place(office: Office, body: dict[str, Any], pointer: str) -> None:
    """422 with a JSON pointer; the value sent is not repeated."""
    response = await office.submit(**body)
    assert (response.status_code, response.headers["content-type"]) == (422, PROBLEM)
    assert pointer in {error["pointer"] for error in response.json()["errors"]}


@pytest.mark.parametrize("key", [None, "", "with space", "nguyễn", "x" * 201])
async def test_a_write_without_a_proper_key_is_refused(office: Office, key: str | None) -> None:
    """422, pointing at the header."""
    headers = list(office.headers("clerk").items()) + ([] if key is None else [("Idempotency-Key", key)])
    response = await office.http.post(
        f"{office.base}/dossiers",
        json={"data": {"procedure": KNOWN}},
        headers=[(name.encode(), value.encode()) for name, value in headers],
    )
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"


async def test_without_a_key_of_the_centre_nothing_is_answered(office: Office) -> None:
    """401 everywhere but health."""
    nobody = "00000000-0000-7000-8000-000000000000"
    for method, path in (
        ("POST", "/dossiers"),
        ("POST", f"/dossiers/{nobody}/acts/settle"),
        ("POST", "/acts:batch"),
        ("POST", "/contacts/lookup"),
        ("GET", f"/dossiers/{nobody}"),
        ("GET", "/dossiers?code=H10.02-170428-0001"),
    ):
        kind = "application/x-ndjson" if path == "/acts:batch" else "application/json"
        content = b"{}" if method == "POST" else None
        response = await office.http.request(
            method, office.base + path, content=content, headers={"Content-Type": kind, "Authorization": "Bearer no"}
        )
        assert response.status_code == 401, path


@pytest.mark.parametrize(
    "query", ["code=%00", "code=", "code=x&system=a%00", "code=x&colour=red", "", "code=" + "x" * 101]
)
async def test_a_strange_search_is_refused(office: Office, query: str) -> None:
    """Before the database sees it; a NUL is not even read."""
    response = await office.http.get(f"{office.base}/dossiers?{query}", headers=office.headers("clerk"))
    assert response.status_code == (400 if "%00" in query else 422)


@pytest.mark.parametrize("query", ["wait_for=rain", "reflecting=-1", "timeout=nan", "timeout=31", "wait=1"])
async def test_a_strange_wait_is_refused(office: Office, query: str) -> None:
    """A mistyped parameter would otherwise be answered as if it were not there."""
    dossier = (await office.submit()).json()["dossier_id"]
    response = await office.http.get(f"{office.base}/dossiers/{dossier}?{query}", headers=office.headers("clerk"))
    assert response.status_code == 422


async def test_what_does_not_exist_is_not_found(office: Office) -> None:
    """404 for an unknown dossier and an unknown act, 422 for an id that is none."""
    nobody = "00000000-0000-7000-8000-000000000000"
    assert (await office.read(nobody)).status_code == 404
    assert (await office.act(nobody, "receive")).status_code == 404
    assert (await office.act(nobody, "dance")).status_code == 404
    assert (await office.act(nobody, "submit")).status_code == 404
    assert (await office.read("17")).status_code == 422


async def test_the_wrong_media_type_is_refused(office: Office) -> None:
    """415 at both doors."""
    for path, kind in (("/dossiers", "text/plain"), ("/acts:batch", "application/json")):
        headers = office.headers("clerk", fresh_key()) | {"Content-Type": kind}
        response = await office.http.post(office.base + path, content=b"{}", headers=headers)
        assert response.status_code == 415, path
