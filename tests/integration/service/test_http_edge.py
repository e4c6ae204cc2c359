"""The HTTP edge on a real socket: slow, stalled, oversized and disconnected requests."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from fastapi import Request

from shared.service.bodies import BodyRule
from shared.service.health import Health
from shared.service.http import Body, create_app
from shared.service.keys import KeyRing, new_key, write_keys
from tests.support import eventually, free_port


class Parcel(Body):
    title: str


@dataclass
class Edge:
    port: int
    handled: int = 0

    async def talk(self, *pieces: bytes, close: bool = False) -> bytes:
        """Send the pieces over a new connection; return everything that the server sends until it closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if close:
                return b""
            async with asyncio.timeout(10):
                return await reader.read()
        except ConnectionResetError:
            return b"reset"
        finally:
            writer.close()


def head(path: str = "/parcels", media_type: str = "application/json", **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: trial", f"Content-Type: {media_type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    write_keys(tmp_path / "keys.toml", [new_key("ops", "ops")[1]])
    app = create_app(
        "trial",
        health=Health(),
        keys=KeyRing(tmp_path / "keys.toml"),
        default_body_rule=BodyRule(limit_bytes=20_000, idle_seconds=0.5, whole_seconds=1.0),
        body_rules={"/lines": BodyRule(("application/x-ndjson",), None, streamed=True, idle_seconds=0.5)},
    )
    found = Edge(free_port())

    @app.post("/parcels")
    async def post(parcel: Parcel) -> str:
        found.handled += 1
        return parcel.title

    @app.post("/lines")
    async def lines(request: Request) -> int:
        total = sum([len(chunk) async for chunk in request.stream()])
        found.handled += 1
        return total

    server = uvicorn.Server(uvicorn.Config(app, port=found.port, log_config=None, access_log=False))
    running = asyncio.create_task(server.serve())

    await eventually(lambda: server.started, within=10)
    yield found
    server.should_exit = True
    await running


def problem(answer: bytes) -> dict[str, object]:
    header, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in header, answer
    parsed: dict[str, object] = json.loads(body)
    return parsed


async def test_incomplete_body_is_answered_408(edge: Edge) -> None:
    """An incomplete body is answered 408, and the connection is closed."""
    assert problem(await edge.talk(head(Content_Length="100"), b'{"title": '))["status"] == 408
    assert edge.handled == 0


async def test_slow_body_is_answered_408(edge: Edge) -> None:
    """A body that arrives byte by byte is limited by the time for the whole body."""

    async def send_slowly() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(head(Content_Length="1000"))
        reading = asyncio.create_task(reader.read())
        while not reading.done():
            writer.write(b" ")
            await asyncio.wait([reading], timeout=0.1)
        writer.close()
        return reading.result()

    answer = b""
    async with asyncio.timeout(30):
        while not answer:  # a byte that arrives after the answer resets the connection
            with contextlib.suppress(ConnectionResetError):
                answer = await send_slowly()
    assert problem(answer)["status"] == 408


async def test_stalled_stream_is_answered_408(edge: Edge) -> None:
    """A stream may be long, but each chunk must arrive in time."""
    answer = await edge.talk(head("/lines", "application/x-ndjson", Transfer_Encoding="chunked"), b"3\r\n{}\n\r\n")
    assert problem(answer)["status"] == 408
    assert edge.handled == 0


async def test_endless_body_is_rejected(edge: Edge) -> None:
    """The bytes of a body without a declared length are counted."""
    chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
    answer = await edge.talk(head(Transfer_Encoding="chunked"), *[chunk] * 200)
    assert answer == b"reset" or problem(answer)["status"] == 413
    assert edge.handled == 0


async def test_too_large_declared_length_is_rejected_at_once(edge: Edge) -> None:
    """A too large declared length is answered 413 before the body is read."""
    assert problem(await edge.talk(head(Content_Length="99999999999")))["status"] == 413


async def test_disconnected_client_does_not_affect_the_next(edge: Edge) -> None:
    """An incomplete request of a disconnected client is dropped, and the next request is served."""
    await edge.talk(head(Content_Length="100"), b'{"title": ', close=True)
    body = b'{"title": "hai"}'
    answer = await edge.talk(head(Content_Length=str(len(body)), Connection="close"), body)
    assert answer.startswith(b"HTTP/1.1 200")
    assert edge.handled == 1


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe\x00garbage\r\n\r\n", b"POST /parcels HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
async def test_invalid_http_is_rejected(edge: Edge, raw: bytes) -> None:
    """The server answers invalid HTTP with 400."""
    assert (await edge.talk(raw)).startswith(b"HTTP/1.1 400")
