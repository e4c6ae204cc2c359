"""One drawn dossier and its acts. Whether it is on time, late or paused is not drawn; it follows from the acts."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from motcua.lab.past_acts import PastAct, PastActor, dossier_id
from motcua.lab.scenarios.half_year.arrivals import Arrival, instant_in_day
from motcua.lab.scenarios.half_year.parameters import Parameters
from motcua.lab.scenarios.half_year.random_stream import RandomStream
from shared.kernel.centre import Centre, Requirement
from shared.kernel.worktime import OutsideCalendarError, Worktime


@dataclass(frozen=True, slots=True)
class DrawContext:
    """What all dossiers drawn from one seed have in common. `standard_day` is the working time of a full day."""

    centre: Centre
    worktime: Worktime
    standard_day: timedelta
    parameters: Parameters
    seed: int

    def receiving_counters(self, department: str, on: date) -> tuple[int, ...]:
        """Return the numbers of the counters that receive dossiers for a department on a local date.

        These are the general counters if a configured decision pools the department, otherwise its own.
        """
        if self.centre.pooling(department, on) is not None:
            return self.centre.counters_on(on, "general")
        return self.centre.counters_on(on, "department", department)

    def visit(self, after: datetime, working_days: int, stream: RandomStream) -> datetime | None:
        """Draw the instant of a visit to a counter, `working_days` after `after` and within working time.

        It is one working day later if it would not be after `after`. None if the calendar ends before that.
        """
        try:
            today = self.worktime.working_day_from(self.worktime.local_date(after))
            day = self.worktime.working_day_after(today, working_days) if working_days else today
            at = instant_in_day(self.worktime, day, stream.from_histogram(self.parameters.working_day_shape))
            if at <= after:
                day = self.worktime.working_day_after(day)
                at = instant_in_day(self.worktime, day, stream.from_histogram(self.parameters.working_day_shape))
        except OutsideCalendarError:
            return None
        return at

    def next_run(self, after: datetime) -> datetime | None:
        """Return the first instant after `after` at which papers are carried between counters and departments.

        They are carried a fixed time before the close of each window. None if the calendar ends before that.
        """
        closes = self.worktime.closes
        at = bisect_right(closes, after + self.parameters.batch_before_close)
        return closes[at] - self.parameters.batch_before_close if at < len(closes) else None


@dataclass(slots=True)
class DrawnDossier:
    """A dossier and the acts drawn for it so far, in time order. Nothing is sent.

    If the next act would be after the end of the calendar, no more acts are drawn and the dossier stays open.
    """

    context: DrawContext
    arrival: Arrival
    stream: RandomStream
    applicant: Mapping[str, Any]
    id: UUID
    clerk: PastActor
    officer: PastActor
    acts: list[PastAct] = field(default_factory=list)

    @property
    def last(self) -> datetime:
        """The instant of the last act, or of the arrival if no act is drawn yet."""
        return self.acts[-1].occurred_at if self.acts else self.arrival.at

    @property
    def last_date(self) -> date:
        """The local date of the last act, or of the arrival if no act is drawn yet."""
        return self.context.worktime.local_date(self.last)

    def add(self, name: str, actor: PastActor, at: datetime, **data: Any) -> None:
        """Append the act `name`, at `at` in whole seconds, or at the instant of the previous act if that is later."""
        moment = max(at.replace(microsecond=0), self.last)
        place = len(self.acts) + 1
        self.acts.append(
            PastAct(
                key=f"half-year/{self.context.seed}/{self.arrival.name}/{place}",
                act=name,
                dossier_id=self.id,
                department=self.arrival.department,
                occurred_at=moment,
                actor=actor,
                data=data,
            )
        )

    def after_working(self, start: datetime, duration: timedelta) -> datetime | None:
        """Return the instant at which `duration` of working time has passed since `start`.

        A closing time is moved to the next opening. None if the calendar ends before that.
        """
        try:
            return self.context.worktime.from_opening(self.context.worktime.add(start, duration))
        except OutsideCalendarError:
            return None

    def requirements(self) -> Sequence[Requirement] | None:
        """Return the papers that the procedure required on the day of submission.

        None if the centre's folder does not list them; it does not mean that none were required.
        """
        on = self.context.worktime.local_date(self.arrival.at)
        return self.context.centre.requirements_of(self.arrival.procedure.code, on)

    def document(self, need: Requirement | None) -> dict[str, Any]:
        """Return the data of a document handed in for a requirement (None: the application form).

        If the dossier arrived online, it is a PDF file with a drawn size and hash; otherwise it has no file.
        """
        title = need.name_vi if need else "Đơn đề nghị"
        document: dict[str, Any] = {"title": title} | ({"requirement": need.key} if need else {})
        if self.arrival.channel == "online":
            content = "".join(f"{self.stream.integer(0, 2**32 - 1):08x}" for _ in range(8))
            size = self.stream.integer(40, 2_000) * 1024
            document |= {"media_type": "application/pdf", "size": size, "sha256": content}
        return document


def new_dossier(arrival: Arrival, applicant: Mapping[str, Any], context: DrawContext) -> DrawnDossier:
    """Return a dossier without acts. Its clerk and officer are drawn; its id is derived from the seed and arrival."""
    stream = RandomStream(context.seed, "life", arrival.name)
    on = context.worktime.local_date(arrival.at)
    counters = context.receiving_counters(arrival.department, on)
    if stream.happens(context.parameters.at_another_counter):
        counters = tuple(
            number
            for department in context.centre.departments_on(on)
            for number in context.centre.counters_on(on, "department", department.code)
        )
    desks = len(context.centre.counters_on(on, "department", arrival.department)) or 1
    return DrawnDossier(
        context=context,
        arrival=arrival,
        stream=stream,
        applicant=applicant,
        id=dossier_id(arrival.at, "half-year", str(context.seed), arrival.name),
        clerk=clerk_at(stream.choice(counters)),
        officer=PastActor(
            id=f"officer-{arrival.department}-{stream.integer(1, desks + 1)}",
            role="officer",
            department=arrival.department,
        ),
    )


def clerk_at(counter: int) -> PastActor:
    """Return the clerk `clerk-N` of the counter with this number."""
    return PastActor(id=f"clerk-{counter}", role="clerk", counter=counter)
