"""Intake over HTTP: acts in, dossiers out."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from services.intake import reading, store
from services.intake.act_data import DATA, Line1, Submit, Word
from services.intake.batch import BatchResponse
from services.intake.block import Answer, Trail
from services.intake.domain.acts import find_act
from services.intake.performing import Performer
from services.intake.requests import ActRequest, SubmitRequest, check_key, read_line
from shared.kernel.errors import ExpectedError
from shared.service.bodies import BodyRule, parse_json
from shared.service.http import Body
from shared.service.keys import Caller, Principal, require
from shared.service.process import Context

MAX_WAIT_SECONDS = 30.0
MAX_CONTACTS = 100
"""Contacts that one request may ask for."""
BATCH_PATH = "/acts:batch"
BODIES = {
    BATCH_PATH: BodyRule(
        media_types=("application/x-ndjson",),
        limit_bytes=None,
        streamed=True,
        idle_seconds=120.0,  # a client that sends as things happen may pause between lines
    )
}

_OF_ACTS = tuple(dict.fromkeys(model for act, model in DATA.items() if act != "submit"))
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)

IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="1 to 200 visible ASCII characters, no personal data. Required."),
]


class Form(BaseModel):
    """A form that the act issued."""

    kind: str
    number: str


class Acted(BaseModel):
    """An act took effect; the same key gets the same answer for ever."""

    dossier_id: UUID
    code: str | None
    sequence: int
    state: str
    occurred_at: str
    forms: list[Form] = Field(default_factory=list)


class ReadQuery(Body):
    """What a read waits for. `reflecting`: the sequence that an act was answered with; the last one if left out."""

    wait_for: Literal["due_at"] | None = None
    reflecting: int = Field(default=2**62, ge=0, le=2**62)
    timeout: float = Field(default=10.0, ge=0, le=MAX_WAIT_SECONDS, allow_inf_nan=False)


class CodeQuery(Body):
    """A dossier's code; `system` names the other system whose code it is."""

    code: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")
    system: Word | None = None


class PageQuery(Body):
    """A page of a list: `after` is the last id of the page before."""

    after: UUID | None = None
    limit: int = Field(default=100, ge=1, le=500)


class Differing(BaseModel):
    """A dossier with two competent departments: `department` counts for its acts, routing says `by_routing`."""

    dossier_id: UUID
    code: str | None
    state: str
    procedure: str
    department: str
    by_routing: str


class Wanted(Body):
    """Whose contact, for which message, and which event of the dossier that tells."""

    dossier_id: UUID
    message_id: UUID | None = None
    dossier_sequence: Annotated[int | None, Field(ge=1)] = None


class LookUp(Body):
    """What contacts are about to be used for, and which."""

    purpose: Line1
    wanted: Annotated[list[Wanted], Field(min_length=1, max_length=MAX_CONTACTS)]


class Contact(BaseModel):
    """How to reach an applicant; all absent: not reachable. `papers` are those that the event asked for in free words,
    which stand in no event."""

    name: str | None
    phone: str | None
    email: str | None
    papers: list[str]


class Found(BaseModel):
    """What became of one of the wanted contacts; None: there is no such dossier."""

    dossier_id: UUID
    message_id: UUID | None
    contact: Contact | None


class LookedUp(BaseModel):
    """Everything that was wanted, in the order asked."""

    found: list[Found]


def _takes(model: type[BaseModel], data: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """The body in the API's description; it is read by hand, since a known key is answered before it is judged."""
    schema = _plain(model)
    schema["properties"]["data"] = {"anyOf": [_plain(one) for one in data]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _plain(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    plain: dict[str, Any] = _inline(schema, schema.pop("$defs", {}))
    return plain


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            return _inline(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
        return {name: _inline(value, definitions) for name, value in node.items()}
    if isinstance(node, list):
        return [_inline(value, definitions) for value in node]
    return node


def trail_of(request: Request) -> Trail:
    """The request's id and trace, for the events that it causes."""
    traceparent = request.headers.get("traceparent", "")
    return Trail(request.state.request_id, traceparent if _TRACEPARENT.fullmatch(traceparent) else None)


async def _json_object(request: Request) -> dict[str, Any]:
    body = parse_json(await request.body() or b"{}")
    if not isinstance(body, dict):
        raise ExpectedError("invalid-content", "expected a JSON object", status=422)
    return body


def _key(given: str | None) -> str:
    return check_key(given, pointer="/header/Idempotency-Key")


def _answer(answer: Answer) -> Response:
    headers = {"Location": f"/dossiers/{answer.content['dossier_id']}"} if answer.status == 201 else None
    return JSONResponse(answer.content, status_code=answer.status, headers=headers)


def create_router(context: Context, performer: Performer) -> APIRouter:
    """The addresses of intake."""
    router = APIRouter()
    pool, centre = context.pool, context.centre

    @router.post("/dossiers", status_code=201, response_model=Acted, openapi_extra=_takes(SubmitRequest, [Submit]))
    async def submit(request: Request, who: Caller, key: IdempotencyKey = None) -> Response:
        """Submit a dossier; with `receive` in its data a walk-in, submitted and received at once."""
        body = await _json_object(request)
        line = read_line({**_without_line_members(body), "key": _key(key), "act": "submit"})
        return _answer(await performer.one(line, who.actor, trail_of(request)))

    @router.post("/dossiers/{dossier_id}/acts/{act}", response_model=Acted, openapi_extra=_takes(ActRequest, _OF_ACTS))
    async def perform(
        request: Request, dossier_id: UUID, act: str, who: Caller, key: IdempotencyKey = None
    ) -> Response:
        """Do one act to a dossier."""
        _key(key)
        if find_act(act).name == "submit":
            raise ExpectedError("unknown-act", "a dossier is submitted by POST /dossiers", status=404)
        body = await _json_object(request)
        if "dossier" in body:
            raise ExpectedError("invalid-content", "the address names the dossier, the body does not", status=422)
        line = read_line({**_without_line_members(body), "key": key, "act": act, "dossier": {"id": str(dossier_id)}})
        return _answer(await performer.one(line, who.actor, trail_of(request)))

    @router.post(
        BATCH_PATH,
        response_class=Response,
        responses={200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
        },
    )
    async def batch(request: Request, who: Caller) -> Response:
        """Many acts, one a line (NDJSON), answered a line each in the same order while they are sent."""
        return BatchResponse(performer, who.actor, trail_of(request))

    @router.get("/dossiers/{dossier_id}")
    async def read(
        dossier_id: UUID,
        who: Caller,
        query: Annotated[ReadQuery, Query()],
    ) -> JSONResponse:
        """A dossier with its history; with `wait_for=due_at`, once its due date reflects event `reflecting`.

        After `timeout` seconds the dossier is answered as it stands: `due.up_to_date` says which it was.
        """
        if query.wait_for is not None:
            await reading.wait_for_due(pool, dossier_id, who.actor, reflecting=query.reflecting, seconds=query.timeout)
        return JSONResponse(await reading.read_dossier(pool, centre, dossier_id, who.actor))

    @router.get("/dossiers")
    async def read_by_code(
        who: Caller,
        query: Annotated[CodeQuery, Query()],
    ) -> JSONResponse:
        """The dossier of a code, for staff."""
        dossier_id = await reading.find_by_code(pool, query.code, query.system, who.actor)
        return JSONResponse(await reading.read_dossier(pool, centre, dossier_id, who.actor))

    @router.get("/assignments:differing")
    async def list_differing(
        query: Annotated[PageQuery, Query()],
        who: Annotated[Principal, Depends(require("leader", "auditor", "ops"))],
    ) -> list[Differing]:
        """Dossiers whose competent department routing sees elsewhere than intake: somebody must look."""
        rows = await store.differing_assignments(pool, after=query.after, limit=query.limit)
        return [Differing.model_validate(row) for row in rows]

    @router.post("/contacts/lookup")
    async def look_up(asked: LookUp, who: Annotated[Principal, Depends(require("service"))]) -> LookedUp:
        """The contacts of dossiers' applicants, for a service that is about to use them; every access is recorded.

        A dossier that does not exist is answered as such, and keeps no other from being answered.
        """
        contacts = await store.look_up_contacts(
            pool,
            [(one.dossier_id, one.message_id, one.dossier_sequence) for one in asked.wanted],
            purpose=asked.purpose,
            actor=who.actor.id,
            at=context.clock.now(),
        )
        found = [
            Found(
                dossier_id=one.dossier_id,
                message_id=one.message_id,
                contact=None if contact is None else Contact.model_validate(contact),
            )
            for one, contact in zip(asked.wanted, contacts, strict=True)
        ]
        return LookedUp(found=found)

    return router


def _without_line_members(body: dict[str, Any]) -> dict[str, Any]:
    """Key and act stand elsewhere in a single request; in the body they are refused like any unknown member."""
    for name in ("key", "act"):
        if name in body:
            raise ExpectedError("invalid-content", f"the body does not take {name!r}", status=422)
    return body
