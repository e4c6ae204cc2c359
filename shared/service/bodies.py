"""Checks of request bodies: size, completeness, media type and JSON, before a handler receives them."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.kernel.errors import Refusal
from shared.service import problems
from shared.service.errors import (
    BodyStalledError,
    TooLargeError,
    UnreadableAddressError,
    UnreadableBodyError,
    UnsupportedMediaTypeError,
)

MAX_DEPTH = 32
MAX_NUMBER = 2**63 - 1  # the largest bigint


@dataclass(frozen=True, slots=True)
class BodyRule:
    """The bodies that a path accepts.

    A body that is not `streamed` is read completely within `whole_seconds` before its handler is called. A streamed
    body reaches its handler in chunks. In both cases, each chunk must arrive within `idle_seconds` of the previous one.
    `limit_bytes` is the largest number of bytes that may arrive; None means unlimited.
    """

    media_types: tuple[str, ...] = ("application/json",)
    limit_bytes: int | None = 1_048_576
    streamed: bool = False
    idle_seconds: float = 10.0
    whole_seconds: float = 30.0


class ClientDisconnected(Exception):  # noqa: N818 - not a failure: the client is gone, so there is no answer
    """The client closed the connection before its request was complete."""


def parse_json(raw: bytes, *, line: bool = False) -> Any:
    """Return the value of strict JSON: UTF-8, at most 32 levels deep, unique members, only values that can be stored.

    Raises UnreadableBodyError, whose message names the place and does not repeat the content. Python's parser would
    also accept UTF-16, NaN, NUL characters and lone surrogates, which would fail later and without a place. If `line`,
    the bytes are one line of a body, so the message names only columns.
    """
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique_members)
    except UnicodeDecodeError as error:
        raise _unreadable(f"not UTF-8 at byte {error.start}{' of this line' if line else ''}") from None
    except json.JSONDecodeError as error:
        place = f"column {error.colno} of this line" if line else f"line {error.lineno}, column {error.colno}"
        raise _unreadable(f"not JSON: {error.msg} at {place}") from None
    except RecursionError:
        raise _unreadable(f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise _unreadable("a number has too many digits") from None
    _require_storable(value)
    return value


def _no_constant(name: str) -> NoReturn:
    raise _unreadable(f"{name} is not JSON")


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of a JSON object. Raises UnreadableBodyError if two have the same name.

    Python's parser would silently use the last of them.
    """
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        duplicate = next(name for name, count in counts.items() if count > 1)
        raise _unreadable(f"the member {duplicate[:64]!r} occurs twice in one object")
    return members


def _require_storable(value: Any) -> None:
    pending = [(value, 1)]
    while pending:
        item, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise _unreadable(f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(item, (int, float)):
            if not -MAX_NUMBER <= item <= MAX_NUMBER:
                raise _unreadable(f"a number is larger than {MAX_NUMBER}")
        elif isinstance(item, str):
            if "\0" in item:
                raise _unreadable("a text contains the character NUL")
            if not item.isascii() and any("\ud800" <= character <= "\udfff" for character in item):
                raise _unreadable("a text contains half of a surrogate pair")
        elif isinstance(item, list):
            pending += [(child, depth + 1) for child in item]
        elif isinstance(item, dict):
            pending += [(child, depth + 1) for pair in item.items() for child in pair]


def _unreadable(why: str) -> UnreadableBodyError:
    return UnreadableBodyError(f"The body cannot be read: {why}.")


class BodyMiddleware:
    """The middleware that enforces the BodyRule of each request: from `rules` by exact path, otherwise `default`.

    A body that breaks the rule is answered with a problem; unless the body is streamed, its handler is not called. An
    address that contains the character NUL is rejected as well, since no text column can store it.
    """

    def __init__(self, app: ASGIApp, *, rules: Mapping[str, BodyRule], default: BodyRule) -> None:
        self._app = app
        self._rules = rules
        self._default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await problems.response(UnreadableAddressError())(scope, receive, send)
            return
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        rule = self._rules.get(scope["path"], self._default)
        headers = dict(scope["headers"])
        try:
            declared = headers.get(b"content-length", b"")
            if rule.limit_bytes is not None and declared.isdigit() and int(declared) > rule.limit_bytes:
                raise TooLargeError(limit=rule.limit_bytes)
            limited = _limited(receive, rule)
            if rule.streamed:
                _check_media_type(headers, rule)
                await self._app(scope, limited, send)
                return
            body = await _read_all(limited, rule)
            if body:
                _check_media_type(headers, rule)
                if "application/json" in rule.media_types:
                    parse_json(body)
        except Refusal as error:
            # the rest of the body is not read, so the connection cannot be reused
            await problems.response(error, {"Connection": "close"})(scope, receive, send)
            return
        except ClientDisconnected:
            return
        await self._app(scope, _received(body, receive), send)


def _check_media_type(headers: Mapping[bytes, bytes], rule: BodyRule) -> None:
    sent = headers.get(b"content-type", b"").split(b";")[0].strip().lower().decode("latin-1")
    if sent not in rule.media_types:
        raise UnsupportedMediaTypeError(accepted=" or ".join(rule.media_types), allowed=rule.media_types)


def _limited(receive: Receive, rule: BodyRule) -> Receive:
    """Return a `receive` that raises TooLargeError and BodyStalledError when the rule's limits are exceeded.

    The limits are the total bytes and the time between two chunks.
    """
    total = 0
    complete = False

    async def next_message() -> Message:
        nonlocal total, complete
        if complete:
            return await receive()  # only the end of the connection can follow
        try:
            async with asyncio.timeout(rule.idle_seconds):
                message = await receive()
        except TimeoutError:
            detail = f"The body stopped arriving: no bytes within {rule.idle_seconds:g} s."
            raise BodyStalledError(detail) from None
        if message["type"] == "http.request":
            total += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if rule.limit_bytes is not None and total > rule.limit_bytes:
                raise TooLargeError(limit=rule.limit_bytes)
        return message

    return next_message


async def _read_all(receive: Receive, rule: BodyRule) -> bytes:
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(rule.whole_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnected
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise BodyStalledError(seconds=rule.whole_seconds) from None


def _received(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def next_message() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message
