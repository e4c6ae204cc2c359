"""Intake's tables: what their rows hold, and which column each field is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.intake.domain.acts import State
from services.intake.domain.whereabouts import Whereabouts
from shared.contracts.dossiers import Channel, Reach
from shared.postgres.rows import RecordTable, Row, Table


@dataclass(slots=True, kw_only=True)
class DossierRow(Row):
    """A dossier as the next act finds it. `state` is None while only other services have spoken of it.

    `clock_sequence` is the last event that touched the clock, `due` what sla told last, `assignment` what routing told
    last; `handed_in` and `asked_papers` are keys and names of requirements. `step` is the one under way, from 1 on;
    `extensions` counts those of the due date. What follows them is kept of papers and result: see Whereabouts.
    """

    state: State | None = None
    came_from: State | None = None
    procedure: str = ""
    department: str | None = None
    channel: Channel = "counter"
    counter: int | None = None
    code: str | None = None
    submitted_by: str = ""
    submitted_at: datetime | None = None
    received_at: datetime | None = None
    last_act_at: datetime | None = None
    incomplete: bool = False
    reach: list[Reach] = field(default_factory=list)
    handed_in: list[str] = field(default_factory=list)
    asked_papers: list[str] = field(default_factory=list)
    clock_sequence: int = 0
    due: dict[str, Any] | None = None
    assignment: dict[str, Any] | None = None
    step: int = 1
    extensions: int = 0
    papers_since: datetime | None = None
    papers_counter: int | None = None
    papers_sequence: int = 0
    settled_at: datetime | None = None
    result_at: datetime | None = None

    @property
    def whereabouts(self) -> Whereabouts:
        """Where papers and result are; setting it moves the row."""
        return Whereabouts(
            self.papers_since, self.papers_counter, self.papers_sequence, self.settled_at, self.result_at
        )

    @whereabouts.setter
    def whereabouts(self, now: Whereabouts) -> None:
        self.papers_since, self.papers_counter = now.papers_since, now.papers_counter
        self.papers_sequence = now.papers_sequence
        self.settled_at, self.result_at = now.settled_at, now.result_at


@dataclass(frozen=True, slots=True)
class ForeignCodeRecord:
    """Which dossier carries a code of another system."""

    id: str
    system: str
    code: str
    dossier_id: UUID


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A paper of the event `sequence`."""

    dossier_id: UUID
    sequence: int
    place: int
    requirement: str | None
    title: str
    media_type: str | None
    size: int | None
    sha256: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class DetailsRecord:
    """Free text and signatures of the event `sequence`."""

    dossier_id: UUID
    sequence: int
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ApplicantRecord:
    """What is known of an applicant."""

    dossier_id: UUID
    name: str | None
    phone: str | None
    email: str | None
    id_number: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class HandOverRecord:
    """A numbered batch of papers, as it was signed. `id` is the key's owner and the key that it was asked by.

    `dossiers` are, in key order, `dossier_id`, `code`, `procedure`, `sequence` (of its hand_over) and `after` (the last
    event by which papers of it went before).
    """

    number: str
    id: str
    fingerprint: str
    counter: int
    department: str
    given_by: str
    taken_by: str
    handed_over_at: datetime
    dossiers: list[dict[str, Any]]


DOSSIERS = Table(
    DossierRow,
    name="dossiers",
    columns={
        "state": "text",
        "came_from": "text",
        "procedure": "text",
        "department": "text",
        "channel": "text",
        "counter": "integer",
        "code": "text",
        "submitted_by": "text",
        "submitted_at": "timestamptz",
        "received_at": "timestamptz",
        "last_act_at": "timestamptz",
        "incomplete": "boolean",
        "reach": "jsonb",
        "handed_in": "jsonb",
        "asked_papers": "jsonb",
        "clock_sequence": "bigint",
        "due": "jsonb",
        "assignment": "jsonb",
        "step": "integer",
        "extensions": "integer",
        "papers_since": "timestamptz",
        "papers_counter": "integer",
        "papers_sequence": "bigint",
        "settled_at": "timestamptz",
        "result_at": "timestamptz",
    },
)
FOREIGN_CODES = RecordTable(
    ForeignCodeRecord,
    name="foreign_codes",
    key="id",
    columns={"id": "text", "system": "text", "code": "text", "dossier_id": "uuid"},
)
DOCUMENTS = RecordTable(
    DocumentRecord,
    name="documents",
    key="dossier_id",
    columns={
        "dossier_id": "uuid",
        "sequence": "bigint",
        "place": "integer",
        "requirement": "text",
        "title": "text",
        "media_type": "text",
        "size": "bigint",
        "sha256": "text",
        "reference": "text",
    },
)
DETAILS = RecordTable(
    DetailsRecord,
    name="details",
    key="dossier_id",
    columns={"dossier_id": "uuid", "sequence": "bigint", "content": "jsonb"},
)
HAND_OVERS = RecordTable(
    HandOverRecord,
    name="hand_overs",
    key="number",
    columns={
        "number": "text",
        "id": "text",
        "fingerprint": "text",
        "counter": "integer",
        "department": "text",
        "given_by": "text",
        "taken_by": "text",
        "handed_over_at": "timestamptz",
        "dossiers": "jsonb",
    },
)
