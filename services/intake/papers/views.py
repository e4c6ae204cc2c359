"""Signed lists, waiting papers and missing results as a reader sees them, by the reader's role."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

import asyncpg

from services.intake.domain import roles
from services.intake.domain.errors import BatchNotFoundError
from services.intake.domain.runs import Timetable, run_kinds, working_days_since
from services.intake.dossiers.act import intake_scope
from services.intake.papers import store
from services.intake.papers.schemas import (
    ListedDossier,
    MissingResult,
    MissingResultsPage,
    PapersQuery,
    Runs,
    SignedList,
    WaitingPapers,
    WaitingPapersPage,
    WaitingQuery,
)
from services.intake.papers.store import HAND_OVERS, HandOverRecord, ListFilter
from shared.contracts.envelope import Actor
from shared.kernel.centre import RunKind
from shared.kernel.errors import CalendarNotAvailableError, InvalidContentError
from shared.kernel.worktime import Worktime
from shared.postgres.clock import refresh
from shared.postgres.published_calendars import PublishedCalendar
from shared.service.paging import page_of
from shared.service.process import Context


class PaperViews:
    """Reads the lists of papers for HTTP routes, by the working calendar that sla published last."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._calendar = PublishedCalendar(context.centre.calendar.name)
        self._cached: tuple[Worktime, Timetable] | None = None

    async def signed_list(self, number: str, actor: Actor) -> SignedList:
        """Return the list of a batch: codes and documents, no applicant.

        Raises BatchNotFoundError if the batch does not exist, is of another clerk's counter or of another officer's
        department.
        """
        pool, centre = self._context.pool, self._context.centre
        record = await HAND_OVERS.read(pool, number)
        if record is None or not _may_read(actor, record):
            raise BatchNotFoundError
        on = centre.local_date(record.handed_over_at)
        documents = await store.load_documents(pool, [UUID(one["dossier_id"]) for one in record.dossiers])
        listed = []
        for one in record.dossiers:
            procedure = centre.procedure(one["procedure"], on)
            sent = range(one["previous"] + 1, one["sequence"] + 1)
            listed.append(
                ListedDossier.model_validate(
                    one
                    | {
                        "procedure_name": None if procedure is None else procedure.name_vi,
                        "documents": [
                            dict(document)
                            for document in documents.get(one["dossier_id"], ())
                            if document["sequence"] in sent
                        ],
                    }
                )
            )
        return SignedList(
            number=record.number,
            counter=record.counter,
            department=record.department,
            given_by=record.given_by,
            taken_by=record.taken_by,
            handed_over_at=record.handed_over_at,
            dossiers=listed,
        )

    async def waiting_papers(self, query: WaitingQuery, actor: Actor) -> WaitingPapersPage:
        """Return a page of papers that the last run left behind, or of all papers for the next run.

        Raises a Refusal for an unknown department, for a department or counter that the reader may not see, and while
        no calendar is available.
        """
        centre = self._context.centre
        now = await self._now()
        _, timetable = await self._timetable()
        today = centre.local_date(now)
        kinds = run_kinds(centre, today)
        runs = {
            kind: Runs(
                receiving_place=kind,
                last_run=timetable.last(kind, now),
                next_run=(next_run := timetable.first_after(kind, now)),
                next_run_is_today=next_run is not None and centre.local_date(next_run) == today,
            )
            for kind in centre.runs
        }
        last = [runs[kind].last_run if kind in runs else None for kind in ("department", "general")]
        rows = await store.waiting_papers(
            self._context.pool,
            self._filter(query, actor, kinds, now),
            department_counters=[number for number, kind in kinds.items() if kind == "department"],
            before=(last[0], last[1]) if query.due_by == "last_run" else None,
        )
        page = page_of(
            rows,
            query.limit,
            key=lambda row: row["dossier_id"],
            view=lambda row: _waiting(row, kinds, runs, timetable, now),
        )
        return WaitingPapersPage(
            counted_at=now, due_by=query.due_by, runs=list(runs.values()), items=page.items, next=page.next
        )

    async def missing_results(self, query: PapersQuery, actor: Actor) -> MissingResultsPage:
        """Return a page of settled dossiers whose result on paper is not at the returning place.

        Raises a Refusal for an unknown department, for a department or counter that the reader may not see, and while
        no calendar is available.
        """
        centre = self._context.centre
        now = await self._now()
        worktime, _ = await self._timetable()
        kinds = run_kinds(centre, centre.local_date(now))
        rows = await store.missing_results(self._context.pool, self._filter(query, actor, kinds, now, results=True))
        page = page_of(
            rows,
            query.limit,
            key=lambda row: row["dossier_id"],
            view=lambda row: MissingResult(**row, working_days=working_days_since(worktime, row["settled_at"], now)),
        )
        return MissingResultsPage(counted_at=now, items=page.items, next=page.next)

    async def _now(self) -> datetime:
        await refresh(self._context.clock, self._context.pool)
        return self._context.clock.now()

    async def _timetable(self) -> tuple[Worktime, Timetable]:
        """Return working time and runs by the current calendar; computed again only if the calendar changed.

        Raises CalendarNotAvailableError.
        """
        found = await self._calendar.read(self._context.pool)
        if found is None:
            raise CalendarNotAvailableError
        if self._cached is None or self._cached[0] is not found.worktime:
            timetable = await asyncio.to_thread(Timetable, self._context.centre, found.worktime)  # some 50 ms
            self._cached = found.worktime, timetable
        return self._cached

    def _filter(
        self, query: PapersQuery, actor: Actor, kinds: Mapping[int, RunKind], now: datetime, *, results: bool = False
    ) -> ListFilter:
        """Return the filter for the part of a list that the reader asked for and may see.

        An officer sees the own department. A clerk sees the own counter; one at a counter for results sees every
        counter's missing results. The filter's limit is one row more than asked for, which shows whether a next page
        exists. Raises a Refusal for an unknown department, and for a department or counter that the reader may not see.
        """
        centre = self._context.centre
        if query.department is not None and query.department not in centre.departments:
            raise InvalidContentError(
                f"The centre has no department {query.department!r}.", pointer="/query/department"
            )
        department = intake_scope(actor, centre, centre.local_date(now)).department(query.department)
        entries = None if actor.counter is None else centre.counters.get(actor.counter)
        sees_every_counter = results and entries is not None and entries[-1].kind == "results"
        counter = query.counter if sees_every_counter else roles.own_counter(actor, query.counter)
        counters: Collection[int] | None = None if counter is None else [counter]
        if query.receiving_place is not None:
            of_kind = [number for number, kind in kinds.items() if kind == query.receiving_place]
            counters = of_kind if counter is None else [number for number in of_kind if number == counter]
        return ListFilter(department=department, counters=counters, after=query.after, limit=query.limit + 1)


def _may_read(actor: Actor, record: HandOverRecord) -> bool:
    match actor.role:
        case "clerk":
            return actor.counter == record.counter
        case "officer":
            return actor.department == record.department
        case _:
            return True


def _waiting(
    row: asyncpg.Record,
    kinds: Mapping[int, RunKind],
    runs: Mapping[RunKind, Runs],
    timetable: Timetable,
    now: datetime,
) -> WaitingPapers:
    kind = kinds.get(row["counter"], "general")
    since = row["papers_waiting_since"]
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
        missed_run=first if first is not None and first <= now else None,
        next_run=of_kind.next_run if of_kind else None,
        next_run_is_today=of_kind.next_run_is_today if of_kind else False,
    )
