"""The HTTP application of every service: refusals as problems, request ids, one log line and one metric per request."""

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Annotated

import structlog
from fastapi import FastAPI, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from shared.kernel.errors import Refusal, TransientError
from shared.runtime import metrics
from shared.service import problems
from shared.service.bodies import BodyMiddleware, BodyRule
from shared.service.errors import (
    FrameworkRefusal,
    InternalError,
    MethodNotAllowedError,
    NotFoundError,
    UnavailableError,
    UnreadableBodyError,
)
from shared.service.health import Health
from shared.service.keys import KeyRing
from shared.service.openapi import DescribedApp

REQUEST_DONE = "request_done"
REQUEST_FAILED = "request_failed"
REQUEST_UNAVAILABLE = "request_unavailable"

_SECONDS = metrics.histogram(
    "motcua_http_request_seconds",
    "Duration of a request, from its first byte to the end of the response.",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PROBES = frozenset({"/healthz", "/readyz", "/progress", "/metrics"})

_log = structlog.get_logger(__name__)


class Body(BaseModel):
    """The base of every request model: an unknown field is rejected instead of ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,200}$",
        description="1 to 200 visible ASCII characters. A repeated key is answered with its first answer.",
    ),
]
"""The client's name for a write, which makes it safe to retry."""


def create_app(
    title: str,
    *,
    description: str = "",
    health: Health,
    keys: KeyRing,
    catalogue_version: str = "",
    body_rules: Mapping[str, BodyRule] | None = None,
    default_body_rule: BodyRule | None = None,
    transient_errors: Sequence[type[Exception]] = (),
    lifespan: Lifespan[FastAPI] | None = None,
) -> FastAPI:
    """Return an application with error handling, probes, metrics and API keys, to which a service adds its routes.

    `/healthz` reports that the process runs, `/readyz` whether requests may come, `/progress` whether every part makes
    progress (both with reasons and the `catalogue_version`), `/metrics` is for Prometheus; these four need no API key.
    `body_rules` apply to their paths, `default_body_rule` (if None: JSON of at most 1 MiB) to all others.
    `transient_errors` are further exceptions that are answered with 503, like TransientError. Readiness requires a
    readable keys file.
    """
    app = DescribedApp(
        title=title,
        description=description,
        docs_url=None,  # both pages load scripts from other hosts
        redoc_url=None,
        lifespan=lifespan,
        responses={"default": problems.DESCRIBED},
    )
    app.state.keys = keys

    async def keys_file() -> str | None:
        return keys.reason_not_ready()

    health.require("keys_file", keys_file)

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
        _log.warning(REQUEST_UNAVAILABLE, error=f"{type(error).__name__}: {error}")
        return problems.response(UnavailableError(), {"Retry-After": "1"})

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, from_framework)
    unavailable_kinds: list[type[Exception]] = [TransientError, ConnectionError, TimeoutError, *transient_errors]
    for kind in unavailable_kinds:
        app.add_exception_handler(kind, unavailable)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        readiness = await health.readiness()
        report = {
            "ready": readiness.ready,
            "reasons": dict(readiness.reasons),
            "service": title,
            "catalogue_version": catalogue_version,
        }
        return JSONResponse(report, 200 if readiness.ready else 503)

    @app.get("/progress", include_in_schema=False)
    async def progress() -> Response:
        found = health.progress()
        report = {
            "advancing": found.advancing,
            "parts": dict(found.parts),
            "service": title,
            "catalogue_version": catalogue_version,
        }
        return JSONResponse(report, 200 if found.advancing else 503)

    @app.get("/metrics", include_in_schema=False)
    async def measured() -> Response:
        return Response(metrics.render(), media_type=metrics.CONTENT_TYPE)

    app.add_middleware(BodyMiddleware, rules=body_rules or {}, default=default_body_rule or BodyRule())
    app.add_middleware(RequestMiddleware)  # added last, so it is the outermost
    return app


def _refusal_of_framework(error: HTTPException) -> Refusal:
    match error.status_code:
        case 404:
            return NotFoundError()
        case 405:
            allow = [method.strip() for method in (error.headers or {}).get("Allow", "").split(",") if method.strip()]
            return MethodNotAllowedError(allowed=allow)
        case 400:
            return UnreadableBodyError()
        case status:
            return FrameworkRefusal(status, str(error.detail))


class RequestMiddleware:
    """The outermost middleware: it adds the request id, logs and measures the request, and answers unexpected errors.

    `request.state.request_id` is the client's X-Request-Id if that has at most 64 letters, digits, `.`, `_` and `-`,
    otherwise a new id. It is in every log line of the request and in the response. An unexpected error is logged and
    answered with 500, without internals; if the response has begun, the error is raised instead.
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
                raise  # the response has begun: only a broken connection shows the client that it failed
            await problems.response(InternalError(request_id=request_id))(scope, receive, observed)
        finally:
            _finish(scope, status, time.monotonic() - started)
            structlog.contextvars.clear_contextvars()


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            sent = value.decode("latin-1")
            if _REQUEST_ID.match(sent):
                return str(sent)
    return secrets.token_hex(16)


def _route(scope: Scope) -> str:
    """Return the pattern of the request's route, for logs and metrics; "unmatched" if no route matched.

    The path itself may contain a code or id, and would create unlimited label values.
    """
    return getattr(scope.get("route"), "path", "unmatched")


def _finish(scope: Scope, status: int, seconds: float) -> None:
    route = _route(scope)
    method = scope["method"] if scope["method"] in _METHODS else "other"
    answered = str(status) if status else "none"
    _SECONDS.labels(method, route, answered).observe(seconds)
    write = _log.debug if route in _PROBES and status < 400 else _log.info
    write(REQUEST_DONE, method=method, route=route, status=answered, milliseconds=round(seconds * 1000, 1))
