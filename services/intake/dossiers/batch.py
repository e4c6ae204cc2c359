"""`POST /acts:batch`: NDJSON in both directions at the same time, committed in blocks.

A block has the lines that arrived while the previous block was committed, at most MAX_BLOCK. So a fast client gets
large blocks, and a client that sends a line and waits gets its answer at once.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.intake.domain.errors import InternalError, TooLargeError, UnavailableError
from services.intake.dossiers.block import Answer, Outcome, Trace
from services.intake.dossiers.executor import MAX_BLOCK, Executor
from services.intake.dossiers.schemas import ParsedAct, parse_act
from shared.contracts.envelope import Actor
from shared.kernel.errors import Refusal, TransientError
from shared.postgres.errors import CONNECTION_ERRORS
from shared.postgres.retry import PersistentViolationError
from shared.service import problems
from shared.service.bodies import parse_json

MAX_LINE_BYTES = 262_144
LINES_AHEAD = 2_000
ANSWER_BYTES_AHEAD = 64 * 1024 * 1024
"""The limit of answers that the client has not read yet, some 400,000: many clients send everything first."""
ANSWER_SECONDS = 300.0
"""How long a client may leave answers unread once nothing else can proceed."""

BATCH_INTERRUPTED = "batch_interrupted"
BATCH_BLOCK_FAILED = "batch_block_failed"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the request, with its number from 1 on; blank lines are counted, too.

    If the line is not valid JSON, `key` is None, and `act` is a refusal that belongs to no dossier.
    """

    number: int
    key: str | None
    act: ParsedAct


class BatchResponse(Response):
    """The response of a batch: reads and executes the request's lines and answers them in order, each after its commit.

    After an interrupted request, the answered lines are in effect, and perhaps some after them. The client sends the
    same lines again with the same keys: it gets the same answers, and the rest is executed. A last line without a line
    feed counts only if the request ended properly.
    """

    media_type = "application/x-ndjson"

    def __init__(self, executor: Executor, actor: Actor, trace: Trace) -> None:
        super().__init__()
        self._executor = executor
        self._actor = actor
        self._trace = trace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, execute and answer the lines at the same time; called by the HTTP server, ends after the last answer.

        The response starts only with the first block's answers, so that the server sends 100-continue before.
        """
        lines: asyncio.Queue[Line | None] = asyncio.Queue(LINES_AHEAD)
        answers = _Answers()
        async with asyncio.TaskGroup() as tasks:  # an error in one task ends all three, and so the connection
            tasks.create_task(self._read(receive, lines))
            sending = tasks.create_task(_send(send, answers))
            await self._execute(lines, answers)
            answers.end()
            async with asyncio.timeout(ANSWER_SECONDS):
                await sending

    async def _read(self, receive: Receive, lines: "asyncio.Queue[Line | None]") -> None:
        try:
            async for line in _lines(receive):
                await lines.put(line)
        except Refusal as refusal:  # stalled: complete lines are executed, and the client sees the end of the response
            _log.info(BATCH_INTERRUPTED, reason=refusal.name)
        await lines.put(None)

    async def _execute(self, lines: "asyncio.Queue[Line | None]", answers: "_Answers") -> None:
        failed: set[str] = set()
        more = True
        while more:
            block: list[Line] = []
            line = await lines.get()
            while line is not None:
                block.append(line)
                if len(block) == MAX_BLOCK or lines.empty():
                    break
                line = lines.get_nowait()
            more = line is not None
            if block:
                outcomes = await self._execute_block(block, failed)
                await answers.put(b"".join(map(_answer, block, outcomes)))

    async def _execute_block(self, block: list[Line], failed: set[str]) -> list[Outcome]:
        acts = [line.act for line in block]
        try:
            return await self._executor.execute_block(acts, self._actor, self._trace, failed=failed)
        except (TransientError, PersistentViolationError, *CONNECTION_ERRORS) as error:
            _log.warning(BATCH_BLOCK_FAILED, lines=len(acts), error=f"{type(error).__name__}: {error}")
            is_transient = isinstance(error, TransientError)
            if not is_transient and len(block) > 1:  # one line with an unexpected error must not fail the others
                return [outcome for line in block for outcome in await self._execute_block([line], failed)]
            failed.update(name for act in acts for name in act.names)
            return [UnavailableError() if is_transient else InternalError()] * len(acts)


class _Answers:
    """A queue of answers, limited by bytes: put() waits while the client does not read."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._bytes = 0
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def put(self, content: bytes) -> None:
        """Add answers to the queue; waits while the queue is full.

        Raises TimeoutError if the client has not read enough of the answers after ANSWER_SECONDS.
        """
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._has_room.wait()
        self._bytes += len(content)
        if self._bytes > ANSWER_BYTES_AHEAD:
            self._has_room.clear()
        self._queue.put_nowait(content)

    def end(self) -> None:
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (content := await self._queue.get()) is not None:
            yield content
            self._bytes -= len(content)
            if self._bytes <= ANSWER_BYTES_AHEAD:
                self._has_room.set()


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


async def _lines(receive: Receive) -> AsyncIterator[Line]:
    """Yield the lines of a request body, without blank ones.

    The incomplete last line of an interrupted request is omitted, too. A line that is too long or cannot be parsed is
    yielded with a refusal.
    """
    number = 0
    rest = b""
    is_too_long = False
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message.get("more_body", False)
        *complete, rest = (rest + message.get("body", b"")).split(b"\n")
        if not more and rest:
            complete, rest = [*complete, rest], b""
        for raw in complete:
            number += 1
            if raw.strip() or is_too_long:
                yield _line(number, raw, is_too_long)
            is_too_long = False
        if len(rest) > MAX_LINE_BYTES:
            is_too_long, rest = True, b""


def _line(number: int, raw: bytes, is_too_long: bool) -> Line:
    try:
        if is_too_long or len(raw) > MAX_LINE_BYTES:
            raise TooLargeError(limit=MAX_LINE_BYTES)
        content = parse_json(raw, line=True)
    except Refusal as refusal:
        return Line(number, None, ParsedAct(refusal=refusal))
    key = content.get("key") if isinstance(content, dict) else None
    return Line(number, key if isinstance(key, str) else None, parse_act(content))


def _answer(line: Line, outcome: Outcome) -> bytes:
    answer: dict[str, Any] = {
        "line": line.number,
        "key": line.key,
        "status": outcome.status if isinstance(outcome, Answer) else problems.status_of(outcome),
    }
    if isinstance(outcome, Answer):
        answer |= {name: outcome.content[name] for name in ("dossier_id", "code", "sequence")}
    else:
        answer["problem"] = problems.document(outcome)
    return json.dumps(answer, ensure_ascii=False).encode() + b"\n"
