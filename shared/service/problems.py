"""Problems (RFC 9457): the one form in which HTTP says no."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.responses import Response
from pydantic import BaseModel, Field

from shared.kernel.errors import ExpectedError, FieldError
from shared.runtime.validation import sentence

MEDIA_TYPE = "application/problem+json"


class ProblemError(BaseModel):
    """One place that is wrong: a JSON pointer (RFC 6901) into the body, or `/query/…`, `/path/…`, `/header/…`."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """A problem document; `type` is `urn:motcua:problem:<slug>`."""

    type: str
    title: str
    status: int
    detail: str
    allowed: list[str] = Field(default_factory=list)
    errors: list[ProblemError] = Field(default_factory=list)


def _described() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/$defs/{model}")
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["ProblemError"]
    return {"description": "Refused, as a problem (RFC 9457).", "content": {MEDIA_TYPE: {"schema": schema}}}


DESCRIBED = _described()
"""The refusal as an API's description tells it. The framework's own way would name the wrong media type."""


def document(error: ExpectedError) -> dict[str, Any]:
    """The problem document of a refusal; empty members are left out. Also the form of a failed line in a batch."""
    body: dict[str, Any] = {
        **error.more,
        "type": f"urn:motcua:problem:{error.slug}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.detail,
    }
    if error.allowed:
        body["allowed"] = list(error.allowed)
    if error.errors:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in error.errors]
    return body


def response(error: ExpectedError, headers: Mapping[str, str] | None = None) -> Response:
    """The refusal as an HTTP answer."""
    extra = dict(headers or {})
    if error.status == HTTPStatus.UNAUTHORIZED:
        extra.setdefault("WWW-Authenticate", "Bearer")
    content = json.dumps(document(error), ensure_ascii=False, default=str).encode("utf-8", "replace")
    return Response(content, status_code=error.status, headers=extra, media_type=MEDIA_TYPE)


def invalid(faults: Sequence[Mapping[str, Any]]) -> ExpectedError:
    """What pydantic found wrong, as one refusal with a pointer for each place; the values sent are never repeated."""
    errors = [FieldError(pointer=_pointer(fault["loc"]), detail=sentence(fault)) for fault in faults]
    return ExpectedError(
        "invalid-content",
        f"{len(errors)} place{'s are' if len(errors) > 1 else ' is'} wrong; see errors",
        status=422,
        errors=errors,
    )


def _pointer(place: Sequence[str | int]) -> str:
    parts = place[1:] if place and place[0] == "body" else place
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
