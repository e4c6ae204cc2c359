"""Problem documents (RFC 9457): the form of every refusal over HTTP, and the table of all kinds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi.responses import Response
from pydantic import BaseModel, Field

from shared.kernel.errors import FieldError, InvalidContentError, Refusal
from shared.runtime.validation import describe_error
from shared.service.errors import FrameworkRefusal

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of problem: its HTTP status, what it means, and what a client can do about it."""

    status: int
    meaning: str
    remedy: str


_RETRY = "Send the same request again in a moment, with the same Idempotency-Key."

KINDS: Mapping[str, ProblemKind] = {
    "act-not-allowed": ProblemKind(
        409, "The dossier's state does not allow the act.", "Choose one of the acts in `allowed`."
    ),
    "actor-differs": ProblemKind(
        403, "The request names an actor that is not the API key's own.", "Leave `actor` out, or use the actor's key."
    ),
    "ambiguous-code": ProblemKind(
        409, "Several other systems use this code for different dossiers.", "Name the system as well."
    ),
    "batch-not-found": ProblemKind(
        404, "The hand-over batch does not exist or is outside the key's scope.", "Check the number."
    ),
    "body-stalled": ProblemKind(408, "The request body stopped arriving.", _RETRY),
    "calendar-not-available": ProblemKind(503, "The working calendar has not reached this service yet.", _RETRY),
    "calendar-not-found": ProblemKind(
        404, "The centre has no calendar of this name.", "Use one of the names in `allowed`."
    ),
    "clock-not-simulated": ProblemKind(
        409, "The centre has a system clock, which cannot be advanced.", "Advance only centres with a simulated clock."
    ),
    "date-outside-calendar": ProblemKind(
        422, "The working calendar does not cover the date.", "Choose a date that it covers, or extend the calendar."
    ),
    "decision-conflict": ProblemKind(
        409,
        "A decision about the department already takes effect on that date or later.",
        "Choose a later date.",
    ),
    "department-required": ProblemKind(
        422, "The department to name is missing or not possible.", "Name one of the departments in `allowed`."
    ),
    "department-unknown": ProblemKind(404, "The centre has no such department.", "Check the department's code."),
    "dossier-exists": ProblemKind(
        409, "A dossier with this id is already submitted.", "Use the existing dossier, or another id."
    ),
    "dossier-not-found": ProblemKind(
        404, "The dossier does not exist or is outside the key's scope.", "Check the id or code, and the key."
    ),
    "due-date-not-available": ProblemKind(409, "The present due date has not reached intake yet.", _RETRY),
    "earlier-line-failed": ProblemKind(
        424, "An earlier line of the same dossier failed in this batch.", "Correct that line and send both again."
    ),
    "extension-date": ProblemKind(422, "The due date cannot be extended to this date.", "Choose a later working day."),
    "extension-quota": ProblemKind(
        409, "The due date has been extended as often as the centre allows.", "Resolve the dossier by its due date."
    ),
    "extension-too-late": ProblemKind(
        409, "The due date has passed.", "An extension is only possible before the due date."
    ),
    "forbidden": ProblemKind(
        403, "The role or scope of the API key does not allow the request.", "Use a key that may."
    ),
    "foreign-code-taken": ProblemKind(
        409, "Another dossier already has this code of the other system.", "Check the code."
    ),
    "hand-over-refused": ProblemKind(
        409, "Some dossiers cannot be handed over, so none was.", "Remove the dossiers that `errors` points to."
    ),
    "internal": ProblemKind(
        500, "An unexpected error in the service.", "Report the request id to the centre's operators."
    ),
    "invalid-code": ProblemKind(422, "The text is not a dossier code.", "Write a code such as H10.18-170428-0001."),
    "invalid-contact": ProblemKind(
        422, "A phone number or e-mail address is invalid.", "Correct the places that `errors` points to."
    ),
    "invalid-content": ProblemKind(
        422, "The body, path, query or a header is invalid.", "Correct the places that `errors` points to."
    ),
    "key-reused": ProblemKind(
        422, "The Idempotency-Key was used for another request.", "Use a new key for each new request."
    ),
    "last-step": ProblemKind(409, "The step is the procedure's last.", "Settle or stop the dossier."),
    "message-not-found": ProblemKind(404, "The message does not exist.", "Check the message id."),
    "method-not-allowed": ProblemKind(
        405, "The address does not support this method.", "Use one of the methods in `allowed`."
    ),
    "no-due-date": ProblemKind(
        409, "The dossier has no due date to extend.", "Extend only a running clock with a term."
    ),
    "not-competent": ProblemKind(
        403, "The act is reserved for the competent department.", "Use a key of the competent department."
    ),
    "not-decidable": ProblemKind(
        409,
        "No operator decision is possible about this quarantined record.",
        "Decide about the record that blocks it.",
    ),
    "not-found": ProblemKind(404, "No resource at this address.", "Check the address in `/openapi.json`."),
    "not-known": ProblemKind(
        422, "Nothing was known about the clock at that instant.", "Choose an instant from the receipt to now."
    ),
    "not-own-counter": ProblemKind(
        403, "The key acts at another counter than the one named.", "Leave `counter` out, or use that counter's key."
    ),
    "not-received": ProblemKind(
        409, "The dossier is not received yet, so it has no clock.", "Receive the dossier first."
    ),
    "not-yours": ProblemKind(
        403, "An applicant's key acts only on its own submissions.", "Use the key that submitted it."
    ),
    "occurred-before-previous": ProblemKind(
        422, "`occurred_at` is before the dossier's previous act.", "Choose a later instant."
    ),
    "occurred-in-future": ProblemKind(
        422, "`occurred_at` is in the future.", "Leave it out, or choose an earlier instant."
    ),
    "occurred-too-long-ago": ProblemKind(
        422, "`occurred_at` is further back than the centre allows.", "Choose a later instant."
    ),
    "papers-missing": ProblemKind(
        409,
        "Mandatory papers are missing.",
        "Ask for them (form 02), or receive the dossier with a `missing_papers_reason`.",
    ),
    "procedure-unknown": ProblemKind(
        404, "The catalogue has no such procedure.", "Check the procedure's code and date."
    ),
    "proposal-decided": ProblemKind(409, "The proposal is already decided.", "Make a new proposal."),
    "proposal-not-found": ProblemKind(404, "The proposal does not exist.", "Check the proposal's id."),
    "proposal-overtaken": ProblemKind(
        409, "The calendar has changed since the proposal was made.", "Reject it, and rehearse a new proposal."
    ),
    "record-not-quarantined": ProblemKind(
        404, "No record is quarantined at this place.", "List the quarantined records: `motcua parked list`."
    ),
    "too-large": ProblemKind(413, "The body or one line of it is too large.", "Split the request."),
    "unauthorized": ProblemKind(401, "The API key is missing or not valid.", "Send `Authorization: Bearer <key>`."),
    "unavailable": ProblemKind(503, "The database or the broker is not available. Nothing was stored.", _RETRY),
    "unknown-act": ProblemKind(404, "The act does not exist.", "Use one of the acts in `allowed`."),
    "unknown-requirement": ProblemKind(
        422, "The procedure has no such requirement.", "Use one of the requirements in `allowed`."
    ),
    "unreadable-address": ProblemKind(400, "The address cannot be read.", "Remove the character that `detail` names."),
    "unreadable-body": ProblemKind(400, "The body cannot be read.", "Send UTF-8 JSON that follows RFC 8259."),
    "unsupported-media-type": ProblemKind(
        415, "The address does not accept this media type.", "Use one of the media types in `allowed`."
    ),
}
"""Every kind of problem, by the last part of its type. `make events` generates docs/problems.md from this table."""


class ProblemError(BaseModel):
    """One invalid place: a JSON pointer (RFC 6901) into the body, or `/query/…`, `/path/…`, `/header/…`."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """A problem document; `type` is `urn:motcua:problem:` followed by the slug."""

    type: str
    title: str
    status: int
    detail: str
    allowed: list[str] = Field(default_factory=list)
    errors: list[ProblemError] = Field(default_factory=list)


def _described() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/$defs/{model}")
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["ProblemError"]
    return {
        "description": "The request was refused: a problem document (RFC 9457).",
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


DESCRIBED = _described()
"""The OpenAPI description of a refusal. The framework's own would name another media type."""


def status_of(refusal: Refusal) -> int:
    """Return the HTTP status of a refusal. Raises KeyError for a class that KINDS lacks, which a test prevents."""
    if isinstance(refusal, FrameworkRefusal):
        return refusal.status
    return KINDS[refusal.name].status


def document(refusal: Refusal) -> dict[str, Any]:
    """Return the problem document of a refusal; empty `allowed` and `errors` are omitted.

    Also used for a failed line of a batch.
    """
    status = status_of(refusal)
    body: dict[str, Any] = {
        **refusal.members,
        "type": f"urn:motcua:problem:{refusal.name}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": refusal.detail,
    }
    if refusal.allowed:
        body["allowed"] = list(refusal.allowed)
    if refusal.errors:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in refusal.errors]
    return body


def response(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """Return the HTTP response for a refusal: its status and its problem document, with `headers`."""
    status = status_of(refusal)
    extra = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        extra.setdefault("WWW-Authenticate", "Bearer")
    content = json.dumps(document(refusal), ensure_ascii=False, default=str).encode("utf-8", "replace")
    return Response(content, status_code=status, headers=extra, media_type=MEDIA_TYPE)


def invalid(faults: Sequence[Mapping[str, Any]]) -> InvalidContentError:
    """Return one refusal for all validation errors of pydantic, with a JSON pointer for each.

    The values that the client sent are not repeated.
    """
    return invalid_places(
        [FieldError(pointer=_pointer(fault["loc"]), detail=describe_error(fault)) for fault in faults]
    )


def invalid_places(errors: Sequence[FieldError]) -> InvalidContentError:
    """Return the refusal of a request with one or more invalid places."""
    places = "1 place is" if len(errors) == 1 else f"{len(errors)} places are"
    return InvalidContentError(f"{places} invalid; see errors.", errors=errors)


def _pointer(place: Sequence[str | int]) -> str:
    parts = place[1:] if place and place[0] == "body" else place
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
