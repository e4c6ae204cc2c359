"""An SMS provider over HTTP: JSON in, a reference out, the message's id as idempotency key.

aiohttp, since every message is a request: with sixteen at once it takes an eighth of httpx's time.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp

from services.notify.domain.delivery import Accepted, Answer, Capabilities, NoAnswer, NotTaken, Refused
from services.notify.domain.sms import encode
from services.notify.gateways import SINK, Outgoing

_NOT_NOW = frozenset({401, 403, 408, 425, 429})
"""Refusals of the request, not of the message: our key, or the pace, must be put right first."""

_NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_IDLE_SECONDS = 2.0
"""A connection is not used again after this: servers close idle ones, often after five seconds, and a request that
meets the closing would be in doubt for nothing."""


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    content: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class HttpSmsGateway:
    """`POST {url}/messages` sends, `GET {url}/messages/{id}` asks.

    `seconds` bounds connecting and each wait for bytes, twice as long a whole call: an answer that drips must not
    outlast the lease.
    """

    def __init__(self, *, url: str, key: str | None, brand: str, seconds: float, can: Capabilities) -> None:
        self._can = can
        self._brand = brand
        self._url = url.rstrip("/")
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=aiohttp.ClientTimeout(total=2 * seconds, connect=seconds, sock_read=seconds),
            connector=aiohttp.TCPConnector(keepalive_timeout=_IDLE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    @property
    def can(self) -> Capabilities:
        return self._can

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
        if reply.status in _NOT_NOW:
            return NotTaken()
        if 400 <= reply.status < 500:
            return Refused(f"http_{reply.status}")
        return NoAnswer()  # a server error may come after the message was taken

    async def ask(self, message_id: UUID) -> Answer:
        reply = await self._call("GET", f"/messages/{message_id}")
        if not isinstance(reply, _Reply):
            return NoAnswer()
        if reply.is_success:
            return Accepted(_reference(reply))
        return NotTaken() if reply.status == 404 else NoAnswer()

    async def is_sink(self) -> bool:
        reply = await self._call("GET", "/")
        if not isinstance(reply, _Reply):
            raise ConnectionError(f"nobody answers at {self._url}")
        return _object(reply).get("provider") == SINK

    async def close(self) -> None:
        await self._http.close()

    async def _call(self, method: str, path: str, **more: Any) -> _Reply | NotTaken | NoAnswer:
        try:
            # no redirects: what is sent to an address that nobody set would be in doubt
            async with self._http.request(method, self._url + path, allow_redirects=False, **more) as response:
                return _Reply(response.status, await response.read())
        except _NEVER_LEFT:
            return NotTaken()
        except (aiohttp.ClientError, TimeoutError):
            return NoAnswer()


def _object(reply: _Reply) -> dict[str, Any]:
    """The object that a reply holds; an empty one where it holds something else."""
    try:
        found = json.loads(reply.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _reference(reply: _Reply) -> str | None:
    reference = _object(reply).get("id")
    return None if reference is None else str(reference)[:200]
