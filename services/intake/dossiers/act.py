"""What every act is made of: its registration, its context, and the events that it becomes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

from services.intake.domain.backdating import Backdating, instant_of_act
from services.intake.domain.codes import SerialKey
from services.intake.domain.dossier import Dossier
from services.intake.domain.life_cycle import ActRule, State
from services.intake.dossiers.fields import ActData, Applicant, Document, ForeignCode, NoData
from shared.contracts import dossiers as events
from shared.contracts.envelope import Actor
from shared.kernel.centre import Centre, Requirement
from shared.kernel.worktime import Worktime
from shared.service.scope import Scope


@dataclass(frozen=True)
class DecisionContext:
    """What all decisions of one transaction share.

    `taken` are the foreign codes that a dossier already has. `accepts_until` is the latest instant of an act with a
    simulated clock; None with a system clock. `calendar` is the centre's published calendar; None until one is
    available, or if no act needs it. `backdating` is None then, too.
    """

    centre: Centre
    now: datetime
    backdating: Backdating | None = None
    taken: set[str] = field(default_factory=set)
    accepts_until: datetime | None = None
    calendar: Worktime | None = None
    _departments: dict[date, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def today(self) -> date:
        """The local date of `now`."""
        return self.centre.local_date(self.now)

    def instant_of_act(self, occurred_at: datetime | None, *, previous: datetime | None) -> datetime:
        """When an act happened: see domain.backdating."""
        return instant_of_act(
            occurred_at,
            now=self.now,
            previous=previous,
            backdating=self.backdating,
            accepts_until=self.accepts_until,
        )

    def departments_on(self, day: date) -> frozenset[str]:
        """The codes of all departments on a local date."""
        found = self._departments.get(day)
        if found is None:
            found = self._departments[day] = frozenset(one.code for one in self.centre.departments_on(day))
        return found

    def scope(self, actor: Actor) -> Scope:
        """What the actor may see: see intake_scope."""
        return intake_scope(actor, self.centre, self.today)


def intake_scope(actor: Actor, centre: Centre, on: date) -> Scope:
    """The scope of an actor in intake."""
    # In intake, a clerk still reaches the dossiers of every counter. Without this argument, the common rule applies.
    return Scope(actor, centre, on, clerks_see_every_department=True)


class Occurrence(NamedTuple):
    """When, by whom and at which counter an act happened, as it is known to a request and to a rebuild."""

    at: datetime
    actor_id: str
    counter: int | None
    centre: Centre

    @property
    def day(self) -> date:
        """The local date of the act."""
        return self.centre.local_date(self.at)


def _no_change(dossier: Dossier, event: Any, occurrence: Occurrence) -> None:
    pass


def never(dossier: Dossier, occurrence: Occurrence) -> bool:
    """The act sends no papers."""
    return False


def always(dossier: Dossier, occurrence: Occurrence) -> bool:
    """The act sends the papers to the department, or ends the need for them."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(ActRule):
    """The one registration of an act.

    `data` is the schema of its data. `decide` checks the request and returns the events; it raises Refusal and then has
    changed nothing. `event` is the type that the act publishes, `change` what that event changes in the aggregate; a
    request and a rebuild both apply it. After `change`, `sends_papers` decides whether papers go to the department.
    """

    event: type[events.DossierEvent]
    decide: "Callable[[Any, Any], list[EventDraft]]"
    data: type[ActData] = NoData
    change: Callable[[Dossier, Any, Occurrence], None] = _no_change
    sends_papers: Callable[[Dossier, Occurrence], bool] = never

    def apply(self, dossier: Dossier, event: events.DossierEvent, to: State, occurrence: Occurrence) -> "Effect":
        """Change the aggregate by the act's event and move it to its new state."""
        self.change(dossier, event, occurrence)
        sends_papers = self.sends_papers(dossier, occurrence)
        if sends_papers:
            dossier.send_papers()
        dossier.move(to, occurrence.at)
        return Effect(touches_clock=self.touches_clock and dossier.received_at is not None, sends_papers=sends_papers)


class Effect(NamedTuple):
    """What an act's event means for the sequences that the aggregate records."""

    touches_clock: bool = False
    sends_papers: bool = False


NO_EFFECT = Effect()
"""The effect of an event that accompanies an act."""


@dataclass(slots=True, kw_only=True)
class EventDraft:
    """A decided event that lacks only its sequence and, if it has a `serial`, the number of its form.

    `details` is free text that stays in intake. `applicant` is all that is known of the applicant, `corrections` the
    members that replace what was known.
    """

    event: events.DossierEvent
    time: datetime
    effect: Effect = NO_EFFECT
    serial: SerialKey | None = None
    details: dict[str, Any] = field(default_factory=dict)
    documents: Sequence[Document] = ()
    applicant: Applicant | None = None
    corrections: dict[str, str | None] = field(default_factory=dict)
    foreign_codes: Sequence[ForeignCode] = ()


@dataclass(slots=True)
class PendingAct:
    """An act that is about to be decided: its actor, the dossier's state and its instant are already checked."""

    act: Act
    dossier: Dossier
    actor: Actor
    at: datetime
    to: State
    context: DecisionContext

    @property
    def day(self) -> date:
        """The local date of the act."""
        return self.context.centre.local_date(self.at)

    @property
    def requirements(self) -> tuple[Requirement, ...] | None:
        """The procedure's requirements on the day of the submission; None if they are not entered."""
        submitted = self.context.centre.local_date(self.dossier.submitted_at or self.at)
        return self.context.centre.requirements_of(self.dossier.procedure, submitted)

    @property
    def form(self) -> events.Form:
        """The form that the act issues; its number is drawn after the decision."""
        assert self.act.form is not None, "only an act with a form issues one"
        return events.Form(kind=self.act.form, number="")

    def draft(self, event: events.DossierEvent, **more: Any) -> EventDraft:
        """The act's event. Changes the dossier, so call it once all is checked. `more` are fields of the draft."""
        occurrence = Occurrence(self.at, self.actor.id, self.actor.counter, self.context.centre)
        effect = self.act.apply(self.dossier, event, self.to, occurrence)
        serial = SerialKey(self._agency(), self.day, self.act.form) if self.act.form else None
        return EventDraft(event=event, time=self.at, effect=effect, serial=serial, **more)

    def _agency(self) -> str:
        """The agency that issues a form: the competent department's, or the centre's while none is known."""
        department = self.dossier.department
        found = self.context.centre.department(department, self.day) if department else None
        return found.agency_id if found else self.context.centre.agency_prefix


def published_documents(
    documents: Sequence[Document], requirements: Sequence[Requirement] | None
) -> tuple[events.Document, ...]:
    """The documents as an event has them: without titles and references, which may name a person.

    The requirement is left out, too, if the procedure's requirements are not entered: it is free text then.
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


def present(**details: str | None) -> Mapping[str, Any]:
    """The details that the request has."""
    return {name: value for name, value in details.items() if value is not None}
