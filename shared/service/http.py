"""The house's HTTP application: refusals as problems, request ids, one log line and one measurement a request."""

import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from shared.kernel.errors import ExpectedError, Refusal, TransientError
from shared.runtime import metrics
from shared.service import problems
from shared.service.bodies import Bodies, BodyRule
from shared.service.health import Health
from shared.service.keys import KeyRing

REQUEST_DONE = "request_done"
REQUEST_FAILED = "request_failed"

_SECONDS = metrics.histogram(
    "motcua_http_request_seconds",
    "Time from a request's first byte to the end of its answer.",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})

_log = structlog.get_logger(__name__)


class Body(BaseModel):
    """The base of every request model: a field that nobody knows is refused, not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")


IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,200}$",
        description="1 to 200 visible ASCII characters; sent again it gets its first answer.",
    ),
]
"""A write's own name, by which it may be sent again."""


def create_app(
    title: str,
    *,
    health: Health,
    keys: KeyRing,
    catalogue_version: str = "",
    bodies: Mapping[str, BodyRule] | None = None,
    default_body: BodyRule | None = None,
    unavailable_on: Sequence[type[Exception]] = (),
    lifespan: Lifespan[FastAPI] | None = None,
) -> FastAPI:
    """An application that answers as the house does; a service adds its routes.

    `/healthz` says that the process lives, `/readyz` whether every part gets on (with reasons and the
    `catalogue_version`), `/metrics` what Prometheus scrapes; these three need no key.
    `bodies` gives paths that take something other than JSON of at most 1 MiB. `unavailable_on` are errors of the
    database's driver that mean "not now": answered 503, like TransientError, and to be sent again.
    """
    app = FastAPI(
        title=title,
        docs_url=None,  # both pages load their script from outside
        redoc_url=None,
        lifespan=lifespan,
        responses={"default": problems.DESCRIBED},
    )
    app.state.keys = keys
    health.register("keys_file", keys.reason_not_ready)

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return problems.response(error)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problems.response(problems.invalid(error.errors()))

    async def from_framework(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problems.response(_refusal_of_framework(error), error.headers)

    async def unavailable(_: Request, error: Exception) -> Response:
        _log.warning("request_unavailable", error=f"{type(error).__name__}: {error}")
        refusal = ExpectedError("unavailable", "not possible at present; nothing was stored, send it again", status=503)
        return problems.response(refusal, {"Retry-After": "1"})

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, from_framework)
    transient: list[type[Exception]] = [TransientError, ConnectionError, TimeoutError, *unavailable_on]
    for kind in transient:
        app.add_exception_handler(kind, unavailable)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        readiness = health.readiness()
        report = {
            "ready": readiness.ready,
            "reasons": dict(readiness.reasons),
            "service": title,
            "catalogue_version": catalogue_version,
        }
        status = 200 if readiness.ready else 503
        return Response(json.dumps(report, ensure_ascii=False), status_code=status, media_type="application/json")

    @app.get("/metrics", include_in_schema=False)
    async def measured() -> Response:
        return Response(metrics.render(), media_type=metrics.CONTENT_TYPE)

    app.add_middleware(Bodies, rules=bodies or {}, default=default_body or BodyRule())
    app.add_middleware(Requests)  # added last, so it stands outermost
    return app


def _refusal_of_framework(error: HTTPException) -> Refusal:
    match error.status_code:
        case 404:
            return ExpectedError("not-found", "there is nothing at this address", status=404)
        case 405:
            allow = [method.strip() for method in (error.headers or {}).get("Allow", "").split(",") if method.strip()]
            return ExpectedError(
                "method-not-allowed", "this address does not take that method", status=405, allowed=allow
            )
        case 400:
            return ExpectedError("unreadable-body", "the body cannot be read", status=400)
        case status:
            phrase = HTTPStatus(status).phrase
            return ExpectedError(phrase.lower().replace(" ", "-"), str(error.detail) or phrase, status=status)


class Requests:
    """The outermost middleware: request id in, log line, latency and the last resort out.

    `request.state.request_id` holds the caller's X-Request-Id if it is a plain one, else a new id; it is bound to
    every log line of the request and answered back. An error that nobody foresaw is answered 500 without internals.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        started = time.monotonic()

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, observed)
        except Exception:
            _log.exception(REQUEST_FAILED, method=scope["method"], route=_route(scope))
            if status:
                raise  # half an answer is out: only a broken connection tells the client
            refusal = ExpectedError("internal", f"an error on our side; its number is {request_id}", status=500)
            await problems.response(refusal)(scope, receive, observed)
        finally:
            _finish(scope, status, time.monotonic() - started)
            structlog.contextvars.clear_contextvars()


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _REQUEST_ID.match(given):
                return str(given)
    return secrets.token_hex(16)


def _route(scope: Scope) -> str:
    """The path's pattern, never the path: that may hold a code or an id, and would make endless label values."""
    return getattr(scope.get("route"), "path", "unmatched")


def _finish(scope: Scope, status: int, seconds: float) -> None:
    route = _route(scope)
    method = scope["method"] if scope["method"] in _METHODS else "other"
    answered = str(status) if status else "none"
    _SECONDS.labels(method, route, answered).observe(seconds)
    write = _log.debug if route in _QUIET and status < 400 else _log.info
    write(REQUEST_DONE, method=method, route=route, status=answered, milliseconds=round(seconds * 1000, 1))
