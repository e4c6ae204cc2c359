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
    """Papers of these dossiers go together to their department; two accounts sign."""

    department: Word
    dossiers: Annotated[list[DossierReference], Field(min_length=1, max_length=MAX_DOSSIERS)]
    given_by: Account
    taken_by: Account

    @model_validator(mode="after")
    def _check_signatures(self) -> "HandOverRequest":
        check_signatures(self.given_by, self.taken_by)
        return self


class HandedOver(BaseModel):
    """One dossier of a batch; `sequence` is its hand-over's."""

    dossier_id: UUID
    code: str
    procedure: str
    sequence: int


class _Signed(BaseModel):
    """A numbered batch and its signatures; its dossiers are in the order of their ids."""

    number: str
    counter: int
    department: str
    given_by: str
    taken_by: str
    handed_over_at: Instant


class Batch(_Signed):
    """A hand-over batch."""

    dossiers: list[HandedOver]


class HandedInDocument(BaseModel):
    """A document handed in; a file has a `media_type`, a paper original has none."""

    requirement: str | None
    title: str
    media_type: str | None


class ListedDossier(HandedOver):
    """A dossier of a signed list, with the documents handed in since its previous hand-over."""

    procedure_name: str | None
    documents: list[HandedInDocument]


class SignedList(_Signed):
    """The list that both sides sign."""

    dossiers: list[ListedDossier]


class PapersQuery(PageQuery):
    """Which part of a list: one department, one counter, or one kind of receiving place."""

    department: Word | None = None
    counter: CounterNumber | None = None
    receiving_place: RunKind | None = None


class WaitingQuery(PapersQuery):
    """`last_run`: papers that the last run left behind; `next_run`: all papers for the next run."""

    due_by: Literal["last_run", "next_run"] = "last_run"


class Runs(BaseModel):
    """The last and the next run from counters of one kind; null if the calendar has none."""

    receiving_place: RunKind
    last_run: Instant | None
    next_run: Instant | None
    next_run_is_today: bool


class WaitingPapers(BaseModel):
    """Papers that have waited at a counter since `since`. `missed_run` is the first run that left without them."""

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

    `working_days` have begun since the day of `settled_at`.
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
