"""Papers' way over HTTP: numbered batches to the departments, and the lists of papers not sent and results not here."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel

from services.intake import papers_store
from services.intake.act_data import CounterNumber, Word
from services.intake.api import PageQuery, trail_of
from services.intake.domain import roles
from services.intake.domain.runs import Timetable, kinds_of_counters, working_days_since
from services.intake.handing_over import HandingOver
from services.intake.papers_store import Page
from services.intake.requests import HandOverRequest
from services.intake.tables import HAND_OVERS, HandOverRecord
from shared.contracts.envelope import Instant, Role
from shared.kernel.centre import RunKind
from shared.kernel.errors import ExpectedError, FieldError
from shared.kernel.worktime import Worktime
from shared.postgres.clock import refresh
from shared.postgres.published_calendars import PublishedCalendar
from shared.service.http import IdempotencyKey
from shared.service.keys import Principal, require
from shared.service.process import Context

_READERS: tuple[Role, ...] = ("clerk", "officer", "leader", "auditor")

Reader = Annotated[Principal, Depends(require(*_READERS))]
Clerk = Annotated[Principal, Depends(require("clerk"))]


class HandedOver(BaseModel):
    """One dossier of a batch; `sequence` is its hand_over's."""

    dossier_id: UUID
    code: str
    procedure: str
    sequence: int


class Signed(BaseModel):
    """A numbered batch and who signed it; its dossiers come in the order of their ids."""

    number: str
    counter: int
    department: str
    given_by: str
    taken_by: str
    handed_over_at: Instant


class Batch(Signed):
    """What was handed over."""

    dossiers: list[HandedOver]


class PaperHandedIn(BaseModel):
    """One thing handed in; `media_type` is a file's, a paper original has none."""

    requirement: str | None
    title: str
    media_type: str | None


class Listed(HandedOver):
    """A dossier on the list that is signed, with what was handed in since papers of it went the last time."""

    procedure_name: str | None
    documents: list[PaperHandedIn]


class SignedList(Signed):
    """The list that both sides sign."""

    dossiers: list[Listed]


class PapersQuery(PageQuery):
    """Which part of a list: of one department, one counter, or one kind of receiving place."""

    department: Word | None = None
    counter: CounterNumber | None = None
    receiving_place: RunKind | None = None


class WaitingQuery(PapersQuery):
    """`last_run`: what a run has left behind; `next_run`: all that goes with the next one."""

    due_by: Literal["last_run", "next_run"] = "last_run"


class RunsOf(BaseModel):
    """The runs from counters of that kind, as far as they are entered: the last one, and the one to come."""

    receiving_place: RunKind
    last_run: Instant | None
    next_run: Instant | None
    next_run_is_today: bool


class WaitingPapers(BaseModel):
    """Papers at a counter since `since`, for `reason`. `missed_run` is the first run that left without them."""

    dossier_id: UUID
    code: str
    procedure: str
    department: str
    channel: str
    counter: int | None
    receiving_place: RunKind
    reason: Literal["received", "supplement_received"]
    since: Instant
    missed_run: Instant | None
    next_run: Instant | None
    next_run_is_today: bool


class NotHandedOver(BaseModel):
    """One page; `next` is the `after` of the next one."""

    counted_at: Instant
    due_by: Literal["last_run", "next_run"]
    runs: list[RunsOf]
    dossiers: list[WaitingPapers]
    next: UUID | None


class MissingResult(BaseModel):
    """A settled dossier whose paper result is not here. `working_days` have begun since the day of `settled_at`."""

    dossier_id: UUID
    code: str
    procedure: str
    department: str
    counter: int | None
    reason: Literal["settled_without_result"] = "settled_without_result"
    settled_at: Instant
    working_days: int


class ResultsNotHere(BaseModel):
    """One page; `next` is the `after` of the next one."""

    counted_at: Instant
    dossiers: list[MissingResult]
    next: UUID | None


class Timetables:
    """The runs by the calendar that sla published last; made again when it changed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._calendar = PublishedCalendar(context.centre.calendar.name)
        self._known: tuple[Worktime, Timetable] | None = None

    async def read(self) -> tuple[Worktime, Timetable]:
        """Working time and runs. Raises Refusal (503) until the calendar has arrived."""
        found = await self._calendar.require(self._context.pool)
        if self._known is None or self._known[0] is not found.worktime:
            made = await asyncio.to_thread(Timetable, self._context.centre, found.worktime)  # some 50 ms
            self._known = found.worktime, made
        return self._known


def create_papers_router(context: Context) -> APIRouter:
    """The addresses of papers' way."""
    router = APIRouter()
    pool, centre = context.pool, context.centre
    handing_over, timetables = HandingOver(context), Timetables(context)

    async def now() -> datetime:
        await refresh(context.clock, pool)
        return context.clock.now()

    def page_of(who: Principal, query: PapersQuery, kinds: dict[int, RunKind], *, results: bool = False) -> Page:
        if query.department is not None and query.department not in centre.departments:
            detail = f"{query.department!r} is not a department of this centre"
            errors = [FieldError("/query/department", detail)]
            raise ExpectedError("department-unknown", detail, status=422, errors=errors)
        at = None if who.actor.counter is None else centre.counters.get(who.actor.counter)
        of_all = results and at is not None and at[-1].kind == "results"  # where every result is awaited
        department, counter = roles.list_scope(who.actor, query.department, query.counter, every_counter=of_all)
        counters: Collection[int] | None = None if counter is None else [counter]
        if query.receiving_place is not None:
            of_kind = [number for number, kind in kinds.items() if kind == query.receiving_place]
            counters = of_kind if counter is None else [number for number in of_kind if number == counter]
        return Page(department=department, counters=counters, after=query.after, limit=query.limit + 1)

    @router.post("/hand-overs", status_code=201)
    async def hand_over(
        request: Request, response: Response, who: Clerk, key: IdempotencyKey, asked: HandOverRequest
    ) -> Batch:
        """Hand papers over under a number of their own: all of the dossiers, or none."""
        record = await handing_over.hand_over(asked, key, who.actor, trail_of(request))
        response.headers["Location"] = f"/hand-overs/{record.number}"
        return Batch.model_validate(record, from_attributes=True)

    @router.get("/hand-overs/{number}")
    async def signed_list(who: Reader, number: Annotated[str, Path(max_length=64)]) -> SignedList:
        """The list that goes with the papers and is signed: codes and papers, no applicant."""
        record = await HAND_OVERS.read(pool, number)
        if record is None or not _may_read(who, record):
            raise ExpectedError("no-such-batch", "there is no such batch, or it is not this key's to know", status=404)
        on = centre.local_date(record.handed_over_at)
        brought = await papers_store.documents_of(pool, [UUID(one["dossier_id"]) for one in record.dossiers])
        listed = []
        for one in record.dossiers:
            procedure = centre.procedure(one["procedure"], on)
            sent = range(one["after"] + 1, one["sequence"] + 1)
            documents = [dict(paper) for paper in brought.get(one["dossier_id"], ()) if paper["sequence"] in sent]
            named = {"procedure_name": None if procedure is None else procedure.name_vi, "documents": documents}
            listed.append(Listed.model_validate(one | named))
        return SignedList(**Signed.model_validate(record, from_attributes=True).model_dump(), dossiers=listed)

    @router.get("/papers/not-handed-over")
    async def not_handed_over(who: Reader, query: Annotated[WaitingQuery, Query()]) -> NotHandedOver:
        """Papers that wait at a counter though a run has left since, or all that go with the next run."""
        at = await now()
        _, timetable = await timetables.read()
        today = centre.local_date(at)
        kinds = dict(kinds_of_counters(centre, today))
        runs = {
            kind: RunsOf(
                receiving_place=kind,
                last_run=timetable.last(kind, at),
                next_run=(coming := timetable.first_after(kind, at)),
                next_run_is_today=coming is not None and centre.local_date(coming) == today,
            )
            for kind in centre.runs
        }
        left = [runs[kind].last_run if kind in runs else None for kind in ("department", "general")]
        rows = await papers_store.papers_waiting(
            pool,
            page_of(who, query, kinds),
            of_departments=[number for number, kind in kinds.items() if kind == "department"],
            before=(left[0], left[1]) if query.due_by == "last_run" else None,
        )
        return NotHandedOver(
            counted_at=at,
            due_by=query.due_by,
            runs=list(runs.values()),
            dossiers=[_waiting(row, kinds, runs, timetable, at) for row in rows[: query.limit]],
            next=_next(rows, query.limit),
        )

    @router.get("/papers/results-not-here")
    async def results_not_here(who: Reader, query: Annotated[PapersQuery, Query()]) -> ResultsNotHere:
        """Settled dossiers whose paper result has not come to the returning place."""
        at = await now()
        worktime, _ = await timetables.read()
        kinds = dict(kinds_of_counters(centre, centre.local_date(at)))
        rows = await papers_store.results_missing(pool, page_of(who, query, kinds, results=True))
        dossiers = [
            MissingResult(**row, working_days=working_days_since(worktime, row["settled_at"], at))
            for row in rows[: query.limit]
        ]
        return ResultsNotHere(counted_at=at, dossiers=dossiers, next=_next(rows, query.limit))

    return router


def _may_read(who: Principal, record: HandOverRecord) -> bool:
    match who.actor.role:
        case "clerk":
            return who.actor.counter == record.counter
        case "officer":
            return who.actor.department == record.department
        case _:
            return True


def _waiting(
    row: asyncpg.Record, kinds: dict[int, RunKind], runs: dict[RunKind, RunsOf], timetable: Timetable, at: datetime
) -> WaitingPapers:
    kind = kinds.get(row["counter"], "general")
    since = row["papers_since"]
    first = timetable.first_after(kind, since)
    of_kind = runs.get(kind)
    return WaitingPapers(
        dossier_id=row["dossier_id"],
        code=row["code"],
        procedure=row["procedure"],
        department=row["department"],
        channel=row["channel"],
        counter=row["counter"],
        receiving_place=kind,
        reason="received" if since == row["received_at"] else "supplement_received",
        since=since,
        missed_run=first if first is not None and first <= at else None,
        next_run=of_kind.next_run if of_kind else None,
        next_run_is_today=of_kind.next_run_is_today if of_kind else False,
    )


def _next(rows: list[asyncpg.Record], limit: int) -> UUID | None:
    return rows[limit - 1]["dossier_id"] if len(rows) > limit else None
