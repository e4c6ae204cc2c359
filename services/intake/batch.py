"""`POST /acts:batch`: NDJSON in and out at the same time, committed in blocks.

A block is what has arrived while the block before it was being committed, at most MAX_BLOCK lines: so a quick sender
gets large blocks, and one that sends a line and waits gets its answer at once.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.intake.block import Answer, Outcome, Trail
from services.intake.performing import MAX_BLOCK, Performer
from services.intake.requests import ActLine, read_line
from shared.contracts.envelope import Actor
from shared.kernel.errors import ExpectedError, Refusal, TransientError
from shared.postgres.errors import CONNECTION_ERRORS
from shared.service import problems
from shared.service.bodies import parse_json

MAX_LINE_BYTES = 262_144
LINES_AHEAD = 2_000
ANSWER_BYTES_AHEAD = 64 * 1024 * 1024
"""Answers that a client has not taken yet, some 400,000: many send everything before they read anything."""
ANSWER_SECONDS = 300.0
"""How long a client may leave its answers lying, once nothing else can be done for it."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Given:
    """A line as it arrived. One that cannot be read at all is refused, and belongs to no dossier."""

    number: int
    key: str | None
    act: ActLine


class BatchResponse(Response):
    """Reads the request's lines and answers them, in order, each after the commit of its block.

    A request that breaks off leaves in effect what was answered, and perhaps lines after that: sending the same lines
    with the same keys again gives the same answers and does the rest. A line without its line feed counts only where
    the request ended in good order.
    """

    media_type = "application/x-ndjson"

    def __init__(self, performer: Performer, actor: Actor, trail: Trail) -> None:
        super().__init__()
        self._performer = performer
        self._actor = actor
        self._trail = trail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the server. The answer begins with the first block, so that 100-continue is given before."""
        lines: asyncio.Queue[Given | None] = asyncio.Queue(LINES_AHEAD)
        answers = _Answers()
        async with asyncio.TaskGroup() as tasks:  # whatever fails ends all three, and so the connection
            tasks.create_task(self._read(receive, lines))
            sending = tasks.create_task(_send(send, answers))
            await self._perform(lines, answers)
            answers.end()
            async with asyncio.timeout(ANSWER_SECONDS):
                await sending

    async def _read(self, receive: Receive, lines: "asyncio.Queue[Given | None]") -> None:
        try:
            async for given in _lines(receive):
                await lines.put(given)
        except Refusal as refusal:  # stalled: what was whole is performed, the sender sees the answer's end
            _log.info("batch_broken_off", why=refusal.name)
        await lines.put(None)

    async def _perform(self, lines: "asyncio.Queue[Given | None]", answers: "_Answers") -> None:
        failed: set[str] = set()
        more = True
        while more:
            block: list[Given] = []
            given = await lines.get()
            while given is not None:
                block.append(given)
                if len(block) == MAX_BLOCK or lines.empty():
                    break
                given = lines.get_nowait()
            more = given is not None
            if block:
                outcomes = await self._block(block, failed)
                await answers.put(b"".join(map(_answer, block, outcomes)))

    async def _block(self, block: list[Given], failed: set[str]) -> list[Outcome]:
        acts = [given.act for given in block]
        try:
            return await self._performer.block(acts, self._actor, self._trail, failed=failed)
        except (TransientError, *CONNECTION_ERRORS) as error:
            _log.warning("batch_block_failed", lines=len(acts), error=f"{type(error).__name__}: {error}")
            passing = isinstance(error, TransientError)
            if not passing and len(block) > 1:  # the others must not suffer for one line that nobody foresaw
                return [outcome for given in block for outcome in await self._block([given], failed)]
            detail = "not possible at present" if passing else "an error on our side"
            refusal = ExpectedError(
                "unavailable" if passing else "internal",
                f"{detail}; send these lines again with their keys",
                status=503 if passing else 500,
            )
            failed.update(mark for act in acts for mark in act.marks)
            return [refusal] * len(acts)


class _Answers:
    """Answers on their way out, bounded by their bytes; whoever performs waits where nobody reads."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._bytes = 0
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, content: bytes) -> None:
        """Raises TimeoutError when the client took nothing for too long."""
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._room.wait()
        self._bytes += len(content)
        if self._bytes > ANSWER_BYTES_AHEAD:
            self._room.clear()
        self._waiting.put_nowait(content)

    def end(self) -> None:
        self._waiting.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (content := await self._waiting.get()) is not None:
            yield content
            self._bytes -= len(content)
            if self._bytes <= ANSWER_BYTES_AHEAD:
                self._room.set()


async def _send(send: Send, answers: _Answers) -> None:
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", BatchResponse.media_type.encode())],
    }
    started = False
    async for content in answers:
        if not started:
            await send(start)
            started = True
        await send({"type": "http.response.body", "body": content, "more_body": True})
    if not started:
        await send(start)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _lines(receive: Receive) -> AsyncIterator[Given]:
    """The lines of a request body; blank ones are passed over, and what a broken request left unfinished too."""
    number = 0
    rest = b""
    too_long = False
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message.get("more_body", False)
        *whole, rest = (rest + message.get("body", b"")).split(b"\n")
        if not more and rest:
            whole, rest = [*whole, rest], b""
        for raw in whole:
            number += 1
            if raw.strip() or too_long:
                yield _given(number, raw, too_long)
            too_long = False
        if len(rest) > MAX_LINE_BYTES:
            too_long, rest = True, b""


def _given(number: int, raw: bytes, too_long: bool) -> Given:
    try:
        if too_long or len(raw) > MAX_LINE_BYTES:
            raise ExpectedError("too-large", f"a line has at most {MAX_LINE_BYTES} bytes", status=413)
        content = parse_json(raw, line=True)
    except Refusal as refusal:
        return Given(number, None, ActLine(fault=refusal))
    key = content.get("key") if isinstance(content, dict) else None
    return Given(number, key if isinstance(key, str) else None, read_line(content))


def _answer(given: Given, outcome: Outcome) -> bytes:
    line: dict[str, Any] = {
        "line": given.number,
        "key": given.key,
        "status": outcome.status if isinstance(outcome, Answer) else problems.status_of(outcome),
    }
    if isinstance(outcome, Answer):
        line |= {name: outcome.content[name] for name in ("dossier_id", "code", "sequence")}
    else:
        line["problem"] = problems.document(outcome)
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"
