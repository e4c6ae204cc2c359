"""The types that every act uses: its registration, the context of its decision, and the drafts of its events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

from services.intake.domain.backdating import Backdating, instant_of_act
from services.intake.domain.codes import SerialKey
from services.intake.domain.dossier import Dossier
from services.intake.domain.life_cycle import ActRule
from services.intake.dossiers.fields import ActData, Applicant, Document, ForeignCode, NoData
from shared.contracts import dossiers as events
from shared.contracts.envelope import Actor
from shared.kernel.centre import Centre, Requirement
from shared.kernel.vocabulary import State
from shared.kernel.worktime import Worktime
from shared.service.scope import Scope


@dataclass(frozen=True)
class DecisionContext:
    """What the decisions of one transaction share, read under the dossiers' locks.

    `taken` are those foreign codes of the requests that a dossier already has; each submission adds its own.
    `accepts_until` is the latest instant that a simulated clock accepts for an act; None with a system clock.
    `calendar` is the centre's calendar as sla published it last; None while none is available, or if no act needs it.
    `backdating` is None if there is no calendar, if the clock is simulated, or if no act names its instant.
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
        """The local date of `now` in the centre's time zone."""
        return self.centre.local_date(self.now)

    def instant_of_act(self, occurred_at: datetime | None, *, previous: datetime | None) -> datetime:
        """Return the instant of an act, or raise a Refusal: see domain.backdating.instant_of_act."""
        return instant_of_act(
            occurred_at,
            now=self.now,
            previous=previous,
            backdating=self.backdating,
            accepts_until=self.accepts_until,
        )

    def departments_on(self, day: date) -> frozenset[str]:
        """Return the codes of all departments that exist on a local date."""
        found = self._departments.get(day)
        if found is None:
            found = self._departments[day] = frozenset(one.code for one in self.centre.departments_on(day))
        return found

    def scope(self, actor: Actor) -> Scope:
        """Return which dossiers the actor may see today: see intake_scope."""
        return intake_scope(actor, self.centre, self.today)


def intake_scope(actor: Actor, centre: Centre, on: date) -> Scope:
    """Return which dossiers the actor may see in intake on a local date; a clerk sees those of every department."""
    # in intake, a clerk of any counter reaches every dossier
    return Scope(actor, centre, on, clerks_see_every_department=True)


class Occurrence(NamedTuple):
    """When, by whom and at which counter an act happened.

    Taken from the request, and in a rebuild from the event. `counter` is the actor's.
    """

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
    """Return False: the act does not send papers to the department."""
    return False


def always(dossier: Dossier, occurrence: Occurrence) -> bool:
    """Return True: after the act no papers wait at a counter, since the department has them or does not need them."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(ActRule):
    """The one registration of an act: its rule, the schema of its data, and the functions that decide and apply it.

    `decide` checks the request, changes the dossier in memory and returns the drafts of the events. It raises Refusal
    before it changes anything. `event` is the type of event that the act publishes. `change` applies such an event to
    the dossier, for a request and in a rebuild. After `change`, `sends_papers` returns whether waiting papers now go to
    the department or are not needed any more.
    """

    event: type[events.DossierEvent]
    decide: "Callable[[Any, Any], list[EventDraft]]"
    data: type[ActData] = NoData
    change: Callable[[Dossier, Any, Occurrence], None] = _no_change
    sends_papers: Callable[[Dossier, Occurrence], bool] = never

    def apply(self, dossier: Dossier, event: events.DossierEvent, to: State, occurrence: Occurrence) -> "Effect":
        """Apply the act's event to the dossier in memory, set the state `to`, and return the effect of the event."""
        self.change(dossier, event, occurrence)
        sends_papers = self.sends_papers(dossier, occurrence)
        if sends_papers:
            dossier.send_papers()
        dossier.move(to, occurrence.at)
        return Effect(touches_clock=self.touches_clock and dossier.received_at is not None, sends_papers=sends_papers)


class Effect(NamedTuple):
    """Whether an act's event touches the clock and sends papers; Dossier.record stores its sequence accordingly."""

    touches_clock: bool = False
    sends_papers: bool = False


NO_EFFECT = Effect()
"""The effect of an event that accompanies an act."""


@dataclass(slots=True, kw_only=True)
class EventDraft:
    """A decided event that is not published yet: its sequence and the number of its form, if any, are missing.

    `serial` is the key of the form's serial; None for an event without a form. `details` is free text and signatures
    that stay in intake. `applicant` is the applicant of a submission, `corrections` the new values of members to
    replace in the stored applicant.
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
    """An act that is about to be decided; its actor, the dossier's state and the instant `at` are already checked.

    `to` is the state after the act.
    """

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
        """The procedure's requirements on the day of the submission; None if the catalogue has none entered."""
        submitted = self.context.centre.local_date(self.dossier.submitted_at or self.at)
        return self.context.centre.requirements_of(self.dossier.procedure, submitted)

    @property
    def form(self) -> events.Form:
        """The form that the act issues, with an empty number; the number is drawn after the decision."""
        assert self.act.form is not None, "only an act with a form issues one"
        return events.Form(kind=self.act.form, number="")

    def draft(self, event: events.DossierEvent, **more: Any) -> EventDraft:
        """Apply `event` to the dossier in memory and return the event's draft.

        Call it once all is checked, since it changes the dossier. `more` are further fields of the draft.
        """
        occurrence = Occurrence(self.at, self.actor.id, self.actor.counter, self.context.centre)
        effect = self.act.apply(self.dossier, event, self.to, occurrence)
        serial = SerialKey(self._agency(), self.day, self.act.form) if self.act.form else None
        return EventDraft(event=event, time=self.at, effect=effect, serial=serial, **more)

    def _agency(self) -> str:
        """Return the id of the agency that issues the act's form.

        It is the competent department's, or the centre's if none is known or it does not exist on the day of the act.
        """
        department = self.dossier.department
        found = self.context.centre.department(department, self.day) if department else None
        return found.agency_id if found else self.context.centre.agency_prefix


def published_documents(
    documents: Sequence[Document], requirements: Sequence[Requirement] | None
) -> tuple[events.Document, ...]:
    """Return the documents as an event has them: without titles and references, which may name a person.

    The requirement is left out, too, if the procedure's requirements are not entered (None): it is free text then.
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
    """Return those of the arguments that are not None, as details of an event."""
    return {name: value for name, value in details.items() if value is not None}
