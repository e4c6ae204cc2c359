"""One act about to be decided, and the event that it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from services.intake import act_data
from services.intake.domain import moments
from services.intake.domain.acts import Act, State
from services.intake.domain.codes import SerialKey
from services.intake.tables import ApplicantRecord, DossierRow
from shared.contracts import dossiers as events
from shared.contracts.envelope import Actor
from shared.kernel.centre import Centre, Requirement
from shared.kernel.worktime import Worktime


@dataclass(frozen=True, slots=True)
class Setting:
    """What all decisions of one transaction share. `taken` are foreign codes that a dossier carries already.

    `accepts_until` is the latest instant of an act on a centre whose time is set; None on one of the present.
    `calendar` is the centre's as it was published last; None until one has arrived, or where no act needs it.
    """

    centre: Centre
    now: datetime
    backdating: moments.Backdating | None
    taken: set[str]
    accepts_until: datetime | None = None
    calendar: Worktime | None = None
    _departments: dict[date, frozenset[str]] = field(default_factory=dict)

    def occurred_at(self, asked: datetime | None, *, previous: datetime | None) -> datetime:
        """When an act happened: see moments.occurred_at."""
        return moments.occurred_at(
            asked, now=self.now, previous=previous, backdating=self.backdating, accepts_until=self.accepts_until
        )

    def departments_on(self, day: date) -> frozenset[str]:
        """The codes of all departments that there are on a local date."""
        found = self._departments.get(day)
        if found is None:
            found = self._departments[day] = frozenset(one.code for one in self.centre.departments_on(day))
        return found


@dataclass(slots=True, kw_only=True)
class Draft:
    """An event that is decided and lacks only its numbers: its sequence, and its form's from `serial`.

    `applicant` is all that is known of one, `corrected` the members that replace what was known. `papers_went`: with
    this event the dossier's papers went to the department.
    """

    row: DossierRow
    event: events.DossierEvent
    time: datetime
    serial: SerialKey | None = None
    touches_clock: bool = False
    papers_went: bool = False
    details: dict[str, Any] = field(default_factory=dict)
    documents: Sequence[act_data.Document] = ()
    applicant: ApplicantRecord | None = None
    corrected: dict[str, str | None] = field(default_factory=dict)
    foreign_codes: Sequence[act_data.ForeignCode] = ()


@dataclass(slots=True)
class Case:
    """One act about to be decided: allowed to this actor, in this state, at this time."""

    act: Act
    row: DossierRow
    actor: Actor
    at: datetime
    to: State
    setting: Setting

    @property
    def day(self) -> date:
        """The local date of the act."""
        return self.setting.centre.local_date(self.at)

    @property
    def requirements(self) -> tuple[Requirement, ...] | None:
        """What the procedure asked for when the dossier was submitted; None where that is not entered."""
        submitted = self.setting.centre.local_date(self.row.submitted_at or self.at)
        return self.setting.centre.requirements_of(self.row.procedure, submitted)

    def agency(self, department: str | None) -> str:
        """The agency in whose name a form is issued: the centre itself while no department is known."""
        found = self.setting.centre.department(department, self.day) if department else None
        return found.agency_id if found else self.setting.centre.agency_prefix

    def draft(self, event: events.DossierEvent, **more: Any) -> Draft:
        """The act's event; moves the dossier. To be called once all is checked."""
        row = self.row
        if self.to in ("supplement_required", "payment_required") and row.state != self.to:
            row.came_from = row.state
        row.state = self.to
        row.last_act_at = self.at
        serial = SerialKey(self.agency(row.department), self.day, self.act.form) if self.act.form else None
        touches = self.act.touches_clock and row.received_at is not None
        return Draft(row=row, event=event, time=self.at, serial=serial, touches_clock=touches, **more)

    def papers_went(self, event: events.DossierEvent, **more: Any) -> Draft:
        """The act's event, with which no papers wait at a counter any more: the department has them."""
        self.row.whereabouts = self.row.whereabouts.papers_went()
        return self.draft(event, papers_went=True, **more)


def on_the_wire(
    documents: Sequence[act_data.Document], requirements: Sequence[Requirement] | None
) -> tuple[events.Document, ...]:
    """Papers without titles and references, which may name a person.

    Nor does a requirement travel where the procedure's are not entered: there it is what somebody wrote.
    """
    return tuple(
        events.Document(
            requirement=None if requirements is None else document.requirement,
            media_type=document.media_type,
            size=document.size,
            sha256=document.sha256,
        )
        for document in documents
    )


def applicant_record(row: DossierRow, given: act_data.Applicant) -> ApplicantRecord:
    """What was learnt of the dossier's applicant."""
    return ApplicantRecord(row.key, given.name, given.phone, given.email, given.id_number, given.address)


def present(**details: str | None) -> dict[str, Any]:
    """The details that were given."""
    return {name: value for name, value in details.items() if value is not None}
