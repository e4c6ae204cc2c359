"""SMS gateway simulator: accepts messages over HTTP, stores them in the inbox, and sends delivery receipts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import aiohttp
from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from motcua.local.sinks.behaviour import SINK, Behaviour, Control, add_control
from motcua.local.sinks.inbox import Inbox, InboxMessage
from shared.runtime.clock import machine_now

_STATUS = {"busy": 429, "error": 500, "refused": 422}
_MAX_RECEIPTS = 100
"""Largest number of receipts in one request."""


class SmsRequest(BaseModel):
    """The request body for one SMS. `from` is the brand name, at most 11 characters (GSM 03.40)."""

    id: str = Field(min_length=1, max_length=100)
    sender: str = Field(alias="from", min_length=1, max_length=11)
    to: str = Field(pattern=r"^\+[1-9][0-9]{6,14}$")
    text: str = Field(min_length=1, max_length=2000)
    alphabet: Literal["gsm7", "ucs2"]
    parts: int = Field(ge=1, le=20)


class _ReceiptSender:
    """Sends delivery receipts to the client's URL without delay, in batches, one request at a time.

    A batch is tried up to ten times and then dropped.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._pending: list[dict[str, str]] = []
        self._task: asyncio.Task[None] | None = None
        self._http: aiohttp.ClientSession | None = None

    def add(self, message_id: str, status: str) -> None:
        """Queue the receipt of a message and return at once; a background task sends it."""
        self._pending.append({"message_id": message_id, "status": status})
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._send())

    async def close(self) -> None:
        """Stop sending; pending receipts are lost."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._http is not None:
            await self._http.close()

    async def _send(self) -> None:
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5), headers=self._headers)
        while self._pending:
            receipts, self._pending = self._pending[:_MAX_RECEIPTS], self._pending[_MAX_RECEIPTS:]
            for attempt in range(10):
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with self._http.post(self._url, json={"receipts": receipts}) as response:
                        if response.status < 300:
                            break
                await asyncio.sleep(min(0.2 * 2**attempt, 5))


def create_sms_simulator(inbox: Inbox, *, receipt_url: str | None = None, receipt_key: str = "") -> FastAPI:
    """Create the HTTP app of the simulator, which stores messages in `inbox`.

    It sends delivery receipts to `receipt_url` with the bearer key `receipt_key`; without a URL it sends none.
    """
    control = Control()
    stored = {message.message_id for message in inbox.messages("sms")}
    receipts = _ReceiptSender(receipt_url, receipt_key) if receipt_url else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if receipts is not None:
            await receipts.close()

    app = FastAPI(title="SMS gateway simulator", docs_url=None, redoc_url=None, lifespan=lifespan)
    add_control(app, control)

    def store(message: SmsRequest, behaviour: Behaviour) -> None:
        if behaviour.idempotent and message.id in stored:
            return
        stored.add(message.id)
        inbox.append(
            InboxMessage(
                channel="sms",
                at=machine_now().isoformat(),
                to=message.to,
                sender=message.sender,
                text=message.text,
                message_id=message.id,
                parts=message.parts,
            )
        )
        if receipts is not None and behaviour.receipts != "none":
            receipts.add(message.id, behaviour.receipts)

    @app.get("/")
    async def name() -> dict[str, str]:
        return {"provider": SINK}

    @app.post("/messages")
    async def messages(
        message: SmsRequest, request: Request, idempotency_key: Annotated[str | None, Header()] = None
    ) -> JSONResponse:
        behaviour = control.next_behaviour()
        await asyncio.sleep(behaviour.delay_seconds)
        if behaviour.takes:
            store(message, behaviour)
        if behaviour.answers == "nothing":
            while (await request.receive())["type"] != "http.disconnect":
                pass  # until the client closes the connection
        answer: dict[str, Any] = {"id": f"sim-{message.id}", "status": "accepted"}
        if behaviour.answers in _STATUS:
            answer = {"status": behaviour.answers}
        return JSONResponse(answer, status_code=_STATUS.get(behaviour.answers, 202))

    @app.get("/messages/{message_id}")
    async def status(message_id: str) -> JSONResponse:
        if not control.behaviour.status_query:
            return JSONResponse({"status": "not offered"}, status_code=501)
        if message_id not in stored:
            return JSONResponse({"status": "unknown"}, status_code=404)
        return JSONResponse({"id": f"sim-{message_id}", "status": "accepted"})

    return app
