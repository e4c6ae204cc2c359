"""Request bodies: bounded, whole and readable before any handler sees them."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.kernel.errors import ExpectedError, Refusal
from shared.service import problems

MAX_DEPTH = 32
MAX_NUMBER = 2**63 - 1  # what a bigint holds


@dataclass(frozen=True, slots=True)
class BodyRule:
    """What a path takes. A streamed body reaches its handler in pieces, each within `idle_seconds` of the last; any
    other is read whole first, within `whole_seconds`. `limit_bytes` counts what really arrives; None: no limit."""

    media_types: tuple[str, ...] = ("application/json",)
    limit_bytes: int | None = 1_048_576
    streamed: bool = False
    idle_seconds: float = 10.0
    whole_seconds: float = 30.0


class BodyLost(Exception):  # noqa: N818 - not a failure: the client hung up, nobody waits for an answer
    """The client closed the connection before its request was whole."""


def loads(raw: bytes, *, line: bool = False) -> Any:
    """Strict JSON: UTF-8, at most 32 levels deep, each member once, only what a database can keep.

    `line` says that these bytes are one line of a body, so that places are told as within it.
    Raises Refusal (400) with a sentence that does not repeat the content. Python's own parser takes UTF-16,
    NaN, NUL characters and lone surrogates, which fail later, where nobody can say which line brought them.
    """
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise unreadable(f"not UTF-8 at byte {error.start}{' of this line' if line else ''}") from None
    except json.JSONDecodeError as error:
        place = f"column {error.colno} of this line" if line else f"line {error.lineno}, column {error.colno}"
        raise unreadable(f"not JSON: {error.msg} at {place}") from None
    except RecursionError:
        raise unreadable(f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise unreadable("a number has too many digits") from None
    _check(value)
    return value


def _no_constant(name: str) -> NoReturn:
    raise unreadable(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, each of whose members stands once: of two, the parser would keep the last without a word."""
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        doubled = next(name for name, count in counts.items() if count > 1)
        raise unreadable(f"the member {doubled[:64]!r} stands twice in one object")
    return members


def _check(value: Any) -> None:
    waiting = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise unreadable(f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(item, (int, float)):
            if not -MAX_NUMBER <= item <= MAX_NUMBER:
                raise unreadable(f"a number is larger than {MAX_NUMBER}")
        elif isinstance(item, str):
            if "\0" in item:
                raise unreadable("a text holds the character NUL")
            if not item.isascii() and any("\ud800" <= character <= "\udfff" for character in item):
                raise unreadable("a text holds half of a surrogate pair")
        elif isinstance(item, list):
            waiting += [(child, depth + 1) for child in item]
        elif isinstance(item, dict):
            waiting += [(child, depth + 1) for pair in item.items() for child in pair]


def unreadable(why: str) -> Refusal:
    """The refusal of bytes that cannot be read."""
    return ExpectedError("unreadable-body", f"the body cannot be read: {why}", status=400)


class Bodies:
    """The middleware that applies the rules; `rules` by exact path, all others take `default`.

    It also refuses the character NUL in an address: no text column takes it.
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
            refusal = ExpectedError("unreadable-address", "the address holds the character NUL", status=400)
            await problems.response(refusal)(scope, receive, send)
            return
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        rule = self._rules.get(scope["path"], self._default)
        headers = dict(scope["headers"])
        try:
            declared = headers.get(b"content-length", b"")
            if rule.limit_bytes is not None and declared.isdigit() and int(declared) > rule.limit_bytes:
                raise _too_large(rule.limit_bytes)
            bounded = _bounded(receive, rule)
            if rule.streamed:
                _check_media_type(headers, rule)
                await self._app(scope, bounded, send)
                return
            body = await _whole(bounded, rule)
            if body:
                _check_media_type(headers, rule)
                if "application/json" in rule.media_types:
                    loads(body)
        except Refusal as error:
            # the rest of the body is not read, so the connection cannot be used again
            await problems.response(error, {"Connection": "close"})(scope, receive, send)
            return
        except BodyLost:
            return
        await self._app(scope, _replay(body, receive), send)


def _check_media_type(headers: Mapping[bytes, bytes], rule: BodyRule) -> None:
    sent = headers.get(b"content-type", b"").split(b";")[0].strip().lower().decode("latin-1")
    if sent not in rule.media_types:
        raise ExpectedError(
            "unsupported-media-type",
            f"this address takes {' or '.join(rule.media_types)}",
            status=415,
            allowed=rule.media_types,
        )


def _too_large(limit: int) -> Refusal:
    return ExpectedError("too-large", f"the body is larger than {limit} bytes", status=413)


def _bounded(receive: Receive, rule: BodyRule) -> Receive:
    """A `receive` that counts real bytes and does not wait for ever for the next."""
    total = 0
    whole = False

    async def next_message() -> Message:
        nonlocal total, whole
        if whole:
            return await receive()  # only the end of the connection can follow
        try:
            async with asyncio.timeout(rule.idle_seconds):
                message = await receive()
        except TimeoutError:
            raise ExpectedError(
                "body-stalled", f"no more of the body arrived within {rule.idle_seconds:g} s", status=408
            ) from None
        if message["type"] == "http.request":
            total += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if rule.limit_bytes is not None and total > rule.limit_bytes:
                raise _too_large(rule.limit_bytes)
        return message

    return next_message


async def _whole(receive: Receive, rule: BodyRule) -> bytes:
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(rule.whole_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BodyLost
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise ExpectedError(
            "body-stalled", f"the body did not arrive within {rule.whole_seconds:g} s", status=408
        ) from None


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def next_message() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message
