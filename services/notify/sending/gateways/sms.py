"""Gateway to an SMS provider over HTTP with JSON; the message's id is the idempotency key.

It uses aiohttp, because every message is a request: for sixteen concurrent ones, httpx takes eight times as long.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp

from services.notify.domain.delivery import Accepted, Answer, Capabilities, NoAnswer, NotAccepted, Rejected
from services.notify.domain.sms import encode
from services.notify.sending.gateways import SINK, Outgoing

_RETRYABLE = frozenset({401, 403, 408, 425, 429})
"""Statuses about the request, not the message: the API key or the rate must be corrected first."""

_NOT_TRANSMITTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_IDLE_SECONDS = 2.0
"""A connection that is idle for longer is not reused. Servers close idle connections, often after five seconds, and a
request at that moment would be in doubt without need."""


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    content: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class HttpSmsGateway:
    """A gateway to an SMS provider: `POST {url}/messages` sends, `GET {url}/messages/{id}` queries.

    `seconds` is the time limit for connecting and for each wait for bytes. A whole call may take twice as long, so an
    answer that arrives in small pieces is also abandoned before the message's lease ends.
    """

    def __init__(self, *, url: str, key: str | None, brand: str, seconds: float, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._brand = brand
        self._url = url.rstrip("/")
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=aiohttp.ClientTimeout(total=2 * seconds, connect=seconds, sock_read=seconds),
            connector=aiohttp.TCPConnector(keepalive_timeout=_IDLE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def send(self, message: Outgoing) -> Answer:
        encoded = encode(message.text)
        body = {
            "id": str(message.message_id),
            "from": self._brand,
            "to": message.address,
            "text": message.text,
            "alphabet": encoded.alphabet,
            "parts": len(encoded.parts),
        }
        headers = {"Idempotency-Key": str(message.message_id)}
        reply = await self._call("POST", "/messages", json=body, headers=headers)
        if not isinstance(reply, _Reply):
            return reply
        if reply.is_success:
            return Accepted(_reference(reply))
        if reply.status in _RETRYABLE:
            return NotAccepted()
        if 400 <= reply.status < 500:
            return Rejected(f"http_{reply.status}")
        return NoAnswer()  # a server error may follow the acceptance of the message

    async def query(self, message_id: UUID) -> Answer:
        reply = await self._call("GET", f"/messages/{message_id}")
        if not isinstance(reply, _Reply):
            return NoAnswer()
        if reply.is_success:
            return Accepted(_reference(reply))
        return NotAccepted() if reply.status == 404 else NoAnswer()

    async def is_sink(self) -> bool:
        reply = await self._call("GET", "/")
        if not isinstance(reply, _Reply):
            raise ConnectionError(f"no answer from {self._url}")
        return _object(reply).get("provider") == SINK

    async def close(self) -> None:
        await self._http.close()

    async def _call(self, method: str, path: str, **more: Any) -> _Reply | NotAccepted | NoAnswer:
        try:
            # no redirects: a message sent to an address that is not configured would be in doubt
            async with self._http.request(method, self._url + path, allow_redirects=False, **more) as response:
                return _Reply(response.status, await response.read())
        except _NOT_TRANSMITTED:
            return NotAccepted()
        except (aiohttp.ClientError, TimeoutError):
            return NoAnswer()


def _object(reply: _Reply) -> dict[str, Any]:
    """Return the JSON object in a reply's body; an empty one if the body is anything else."""
    try:
        found = json.loads(reply.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _reference(reply: _Reply) -> str | None:
    reference = _object(reply).get("id")
    return None if reference is None else str(reference)[:200]
