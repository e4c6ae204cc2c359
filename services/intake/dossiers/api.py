"""HTTP routes of acts and dossiers."""

import re
from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from services.intake.domain.errors import UnknownActError
from services.intake.dossiers import store, views
from services.intake.dossiers.act import intake_scope
from services.intake.dossiers.acts.submit import Submit
from services.intake.dossiers.batch import BatchResponse
from services.intake.dossiers.block import Answer, Trace
from services.intake.dossiers.executor import Executor
from services.intake.dossiers.registry import ACTS, find_act
from services.intake.dossiers.schemas import (
    ActRequest,
    ActResponse,
    CodeQuery,
    DifferingAssignment,
    ReadQuery,
    SubmitRequest,
    check_key,
    parse_act,
)
from shared.contracts.envelope import Actor
from shared.kernel.errors import InvalidContentError
from shared.service.bodies import BodyRule, parse_json
from shared.service.keys import Caller, Principal, require
from shared.service.paging import Page, PageQuery, page_of
from shared.service.process import Context
from shared.service.provided import provided
from shared.service.scope import Scope

BATCH_PATH = "/acts:batch"
BODIES = {
    BATCH_PATH: BodyRule(
        media_types=("application/x-ndjson",),
        limit_bytes=None,
        streamed=True,
        idle_seconds=120.0,  # a client that sends as things happen may pause between lines
    )
}

_OTHER_DATA = tuple(dict.fromkeys(act.data for act in ACTS.values() if act.name != "submit"))
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)

# Checked by parse_act, unlike the framework's own check, with a message that explains the key.
RequiredKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="1 to 200 visible ASCII characters, no personal data. Required."),
]
ProvidedContext = Annotated[Context, Depends(provided(Context))]
ProvidedExecutor = Annotated[Executor, Depends(provided(Executor))]

router = APIRouter()


def _described(model: type[BaseModel], data: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """Return the OpenAPI description of a request body that parse_act reads.

    `data` are the models of the body's member `data`.
    """
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


def trace_of(request: Request) -> Trace:
    """Return the id and the `traceparent` header of an HTTP request; an invalid header counts as missing."""
    traceparent = request.headers.get("traceparent", "")
    return Trace(request.state.request_id, traceparent if _TRACEPARENT.fullmatch(traceparent) else None)


@router.post(
    "/dossiers", status_code=201, response_model=ActResponse, openapi_extra=_described(SubmitRequest, [Submit])
)
async def submit(request: Request, who: Caller, executor: ProvidedExecutor, key: RequiredKey = None) -> Response:
    """Submit a dossier; with `receive` in its data, submit and receive it at once (a walk-in)."""
    body = await _body(request)
    act = parse_act({**body, "key": _key(key), "act": "submit"})
    return _response(await executor.execute(act, who.actor, trace_of(request)))


@router.post(
    "/dossiers/{dossier_id}/acts/{act}",
    response_model=ActResponse,
    openapi_extra=_described(ActRequest, _OTHER_DATA),
)
async def perform(
    request: Request, dossier_id: UUID, act: str, who: Caller, executor: ProvidedExecutor, key: RequiredKey = None
) -> Response:
    """Do one act on a dossier that is already submitted."""
    _key(key)
    if find_act(act).name == "submit":
        raise UnknownActError("A dossier is submitted by POST /dossiers.")
    body = await _body(request)
    if "dossier" in body:
        raise InvalidContentError("The address names the dossier. Remove `dossier` from the body.")
    parsed = parse_act({**body, "key": key, "act": act, "dossier": {"id": str(dossier_id)}})
    return _response(await executor.execute(parsed, who.actor, trace_of(request)))


@router.post(
    BATCH_PATH,
    response_class=Response,
    responses={200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
    },
)
async def batch(request: Request, who: Caller, executor: ProvidedExecutor) -> Response:
    """Do many acts, one per line (NDJSON).

    Each line is answered in order, after its commit; the client may send further lines meanwhile.
    """
    return BatchResponse(executor, who.actor, trace_of(request))


@router.get("/dossiers/{dossier_id}")
async def read_dossier(
    dossier_id: UUID, who: Caller, query: Annotated[ReadQuery, Query()], context: ProvidedContext
) -> JSONResponse:
    """Return a dossier with its history.

    With `wait_for=due_at`, first wait until its due date reflects the event with the sequence `reflecting`. After
    `timeout` seconds the dossier is returned in any case; `due.up_to_date` is then false if the wait timed out.
    """
    scope = _scope(context, who.actor)
    if query.wait_for is not None:
        await views.wait_for_due_date(
            context.pool, dossier_id, scope, reflecting=query.reflecting, seconds=query.timeout
        )
    return JSONResponse(await views.read_dossier(context.pool, context.centre, dossier_id, scope))


@router.get("/dossiers")
async def read_dossier_by_code(
    who: Caller, query: Annotated[CodeQuery, Query()], context: ProvidedContext
) -> JSONResponse:
    """Return the dossier that has a code of this centre or of another system; only for staff."""
    dossier_id = await views.find_by_code(context.pool, query.code, query.system, who.actor)
    scope = _scope(context, who.actor)
    return JSONResponse(await views.read_dossier(context.pool, context.centre, dossier_id, scope))


@router.get("/assignments:differing")
async def list_differing_assignments(
    query: Annotated[PageQuery, Query()],
    who: Annotated[Principal, Depends(require("leader", "auditor", "ops"))],
    context: ProvidedContext,
) -> Page[DifferingAssignment]:
    """List the dossiers whose department differs from the one that routing assigned; a person must check them."""
    rows = await store.differing_assignments(context.pool, after=query.after, limit=query.limit + 1)
    return page_of(rows, query.limit, key=lambda row: row["dossier_id"], view=lambda row: DifferingAssignment(**row))


async def _body(request: Request) -> dict[str, Any]:
    """Return the body of a single act as a JSON object.

    Raises InvalidContentError if it is not an object, or has a key or an act, which are elsewhere in the request.
    """
    body = parse_json(await request.body() or b"{}")
    if not isinstance(body, dict):
        raise InvalidContentError("Send a JSON object.")
    for name in ("key", "act"):
        if name in body:
            raise InvalidContentError(f"Remove {name!r} from the body.")
    return body


def _key(key: str | None) -> str:
    return check_key(key, pointer="/header/Idempotency-Key")


def _scope(context: Context, actor: Actor) -> Scope:
    return intake_scope(actor, context.centre, context.centre.local_date(context.clock.now()))


def _response(answer: Answer) -> Response:
    headers = {"Location": f"/dossiers/{answer.content['dossier_id']}"} if answer.status == 201 else None
    return JSONResponse(answer.content, status_code=answer.status, headers=headers)
