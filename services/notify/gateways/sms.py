"""An SMS provider over HTTP: JSON in, a reference out, the message's id as idempotency key."""

from typing import Any
from uuid import UUID

import httpx

from services.notify.domain.delivery import Accepted, Answer, Capabilities, NoAnswer, NotTaken, Refused
from services.notify.domain.sms import encode
from services.notify.gateways import SINK, Outgoing

_NOT_NOW = frozenset({401, 403, 408, 425, 429})
"""Refusals of the request, not of the message: our key, or the pace, must be put right first."""

_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)


class HttpSmsGateway:
    """`POST {url}/messages` sends, `GET {url}/messages/{id}` asks. `seconds` bounds each call."""

    def __init__(self, *, url: str, key: str | None, brand: str, seconds: float, can: Capabilities) -> None:
        self._can = can
        self._brand = brand
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=seconds, trust_env=False)

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
        response = await self._call("POST", "/messages", json=body, headers=headers)
        if not isinstance(response, httpx.Response):
            return response
        if response.is_success:
            return Accepted(_reference(response))
        if response.status_code in _NOT_NOW:
            return NotTaken()
        if response.is_client_error:
            return Refused(f"http_{response.status_code}")
        return NoAnswer()  # a server error may come after the message was taken

    async def ask(self, message_id: UUID) -> Answer:
        response = await self._call("GET", f"/messages/{message_id}")
        if not isinstance(response, httpx.Response):
            return NoAnswer()
        if response.is_success:
            return Accepted(_reference(response))
        return NotTaken() if response.status_code == 404 else NoAnswer()

    async def is_sink(self) -> bool:
        try:
            found = (await self._http.get("/")).json()
        except ValueError:
            return False
        except httpx.RequestError as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        return isinstance(found, dict) and found.get("provider") == SINK

    async def close(self) -> None:
        await self._http.aclose()

    async def _call(self, method: str, path: str, **more: Any) -> httpx.Response | NotTaken | NoAnswer:
        try:
            return await self._http.request(method, path, **more)
        except _NEVER_LEFT:
            return NotTaken()
        except httpx.RequestError:
            return NoAnswer()


def _reference(response: httpx.Response) -> str | None:
    try:
        reference = response.json()["id"]
    except (ValueError, KeyError, TypeError):
        return None
    return str(reference)[:200]
