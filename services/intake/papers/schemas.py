"""Requests and responses of hand-overs, and of the lists of waiting papers and missing results."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.intake.dossiers.fields import Account, CounterNumber, Word, check_signatures
from services.intake.dossiers.schemas import DossierReference
from shared.contracts.envelope import Instant
from shared.kernel.centre import RunKind
from shared.service.http import Body
from shared.service.paging import Page, PageQuery

MAX_DOSSIERS = 200
"""Dossiers of one hand-over batch."""


class HandOverRequest(Body):
    """A request to hand the papers of these dossiers together to their department; two accounts sign."""

    department: Word
    dossiers: Annotated[list[DossierReference], Field(min_length=1, max_length=MAX_DOSSIERS)]
    given_by: Account
    taken_by: Account

    @model_validator(mode="after")
    def _check_signatures(self) -> "HandOverRequest":
        check_signatures(self.given_by, self.taken_by)
        return self


class HandedOver(BaseModel):
    """One dossier of a batch; `sequence` is that of the event of its hand-over."""

    dossier_id: UUID
    code: str
    procedure: str
    sequence: int


class _Signed(BaseModel):
    """The members that a hand-over batch and its signed list have in common.

    The dossiers of both are in the order of their ids.
    """

    number: str
    counter: int
    department: str
    given_by: str
    taken_by: str
    handed_over_at: Instant


class Batch(_Signed):
    """A numbered hand-over batch with its dossiers."""

    dossiers: list[HandedOver]


class HandedInDocument(BaseModel):
    """A document handed in; a file has a `media_type`, a paper original has none."""

    requirement: str | None
    title: str
    media_type: str | None


class ListedDossier(HandedOver):
    """A dossier of a signed list, with the documents handed in since the papers were last sent to the department."""

    procedure_name: str | None
    documents: list[HandedInDocument]


class SignedList(_Signed):
    """The list of a batch's dossiers and documents, which both sides sign."""

    dossiers: list[ListedDossier]


class PapersQuery(PageQuery):
    """The filters of a list: a department, a counter, a kind of receiving place. All that are given apply."""

    department: Word | None = None
    counter: CounterNumber | None = None
    receiving_place: RunKind | None = None


class WaitingQuery(PapersQuery):
    """Which waiting papers are listed: with `due_by=last_run`, those that the last run left behind; else all."""

    due_by: Literal["last_run", "next_run"] = "last_run"


class Runs(BaseModel):
    """The last and the next run from counters of one kind; null if the calendar has none."""

    receiving_place: RunKind
    last_run: Instant | None
    next_run: Instant | None
    next_run_is_today: bool


class WaitingPapers(BaseModel):
    """A dossier's papers that have waited at a counter since `since`.

    `missed_run` is the first run that left without them; null if no run has left since.
    """

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


class WaitingPapersPage(Page[WaitingPapers]):
    """One page of waiting papers at the instant `counted_at`, with the runs of each kind."""

    counted_at: Instant
    due_by: Literal["last_run", "next_run"]
    runs: list[Runs]


class MissingResult(BaseModel):
    """A settled dossier whose result on paper is not at the returning place.

    `working_days` counts the working days after the day of `settled_at`, up to and including today.
    """

    dossier_id: UUID
    code: str
    procedure: str
    department: str
    counter: int | None
    reason: Literal["settled_without_result"] = "settled_without_result"
    settled_at: Instant
    working_days: int


class MissingResultsPage(Page[MissingResult]):
    """One page of missing results at the instant `counted_at`."""

    counted_at: Instant
