"""HTTP routes of papers: hand-over batches, waiting papers and missing results."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.intake.dossiers.api import trace_of
from services.intake.papers.handlers import HandOvers
from services.intake.papers.schemas import (
    Batch,
    HandOverRequest,
    MissingResultsPage,
    PapersQuery,
    SignedList,
    WaitingPapersPage,
    WaitingQuery,
)
from services.intake.papers.views import PaperViews
from shared.service.http import IdempotencyKey
from shared.service.keys import Principal, require
from shared.service.provided import provided

Reader = Annotated[Principal, Depends(require("clerk", "officer", "leader", "auditor"))]
Clerk = Annotated[Principal, Depends(require("clerk"))]
ProvidedHandOvers = Annotated[HandOvers, Depends(provided(HandOvers))]
ProvidedViews = Annotated[PaperViews, Depends(provided(PaperViews))]

router = APIRouter()


@router.post("/hand-overs", status_code=201)
async def hand_over(
    request: Request,
    response: Response,
    who: Clerk,
    key: IdempotencyKey,
    body: HandOverRequest,
    hand_overs: ProvidedHandOvers,
) -> Batch:
    """Hand the papers of all named dossiers over in one numbered batch; if one of them cannot go, none does."""
    record = await hand_overs.hand_over(body, key, who.actor, trace_of(request))
    response.headers["Location"] = f"/hand-overs/{record.number}"
    return Batch.model_validate(record, from_attributes=True)


@router.get("/hand-overs/{number}")
async def read_signed_list(
    who: Reader, number: Annotated[str, Path(max_length=64)], views: ProvidedViews
) -> SignedList:
    """Return the list that goes with a batch's papers and is signed: codes and documents, no applicant."""
    return await views.signed_list(number, who.actor)


@router.get("/papers/not-handed-over")
async def list_waiting_papers(
    who: Reader, query: Annotated[WaitingQuery, Query()], views: ProvidedViews
) -> WaitingPapersPage:
    """List papers that wait at a counter although a run has left since they came.

    With `due_by=next_run`, list all waiting papers.
    """
    return await views.waiting_papers(query, who.actor)


@router.get("/papers/results-not-here")
async def list_missing_results(
    who: Reader, query: Annotated[PapersQuery, Query()], views: ProvidedViews
) -> MissingResultsPage:
    """List settled dossiers whose result on paper is not at the returning place."""
    return await views.missing_results(query, who.actor)
