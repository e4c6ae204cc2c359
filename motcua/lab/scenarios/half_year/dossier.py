"""One dossier's whole life: what is done to it and when. Outcomes (on time, late, paused) are nobody's to draw."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from motcua.lab.past_acts import Doer, PastAct, dossier_id
from motcua.lab.scenarios.half_year.arrivals import Arrival, moment_of
from motcua.lab.scenarios.half_year.parameters import Figures
from motcua.lab.scenarios.half_year.random_stream import Lots
from shared.kernel.centre import Centre, Requirement
from shared.kernel.worktime import OutsideCalendarError, Worktime


@dataclass(frozen=True, slots=True)
class Place:
    """Where lives take place. `standard_day` is a full day's working time."""

    centre: Centre
    worktime: Worktime
    standard_day: timedelta
    figures: Figures
    seed: int

    def receiving_counters(self, department: str, on: date) -> tuple[int, ...]:
        """The counters that receive for a department by the decisions in force."""
        if self.centre.pooling(department, on) is not None:
            return self.centre.counters_on(on, "general")
        return self.centre.counters_on(on, "department", department)

    def visit(self, after: datetime, working_days: int, lots: Lots) -> datetime | None:
        """When somebody comes to a counter, that many working days later; None where the calendar ends before."""
        try:
            today = self.worktime.working_day_from(self.worktime.local_date(after))
            day = self.worktime.working_day_after(today, working_days) if working_days else today
            at = moment_of(self.worktime, day, lots.in_shape(self.figures.working_day_shape))
            if at <= after:
                day = self.worktime.working_day_after(day)
                at = moment_of(self.worktime, day, lots.in_shape(self.figures.working_day_shape))
        except OutsideCalendarError:
            return None
        return at

    def next_batch(self, after: datetime) -> datetime | None:
        """When papers next travel between the counters and the departments; None where the calendar ends before."""
        closes = self.worktime.closes
        at = bisect_right(closes, after + self.figures.batch_before_close)
        return closes[at] - self.figures.batch_before_close if at < len(closes) else None


@dataclass(slots=True)
class Life:
    """A life so far. Every act is at or after the one before it; one that would never come ends the life."""

    place: Place
    arrival: Arrival
    lots: Lots
    person: Mapping[str, Any]
    dossier_id: UUID
    clerk: Doer
    officer: Doer
    acts: list[PastAct] = field(default_factory=list)

    @property
    def last(self) -> datetime:
        """The instant of the last act, or of the arrival."""
        return self.acts[-1].occurred_at if self.acts else self.arrival.at

    @property
    def day(self) -> date:
        """The local date of the last act."""
        return self.place.worktime.local_date(self.last)

    def act(self, name: str, doer: Doer, at: datetime, **data: Any) -> None:
        """Somebody does something, in a whole second and never before the act before it."""
        moment = max(at.replace(microsecond=0), self.last)
        place = len(self.acts) + 1
        self.acts.append(
            PastAct(
                key=f"half-year/{self.place.seed}/{self.arrival.name}/{place}",
                act=name,
                dossier_id=self.dossier_id,
                department=self.arrival.department,
                occurred_at=moment,
                doer=doer,
                data=data,
            )
        )

    def worked(self, start: datetime, duration: timedelta) -> datetime | None:
        """When that much working time has passed, in working time; None where the calendar ends before."""
        try:
            return self.place.worktime.from_opening(self.place.worktime.add(start, duration))
        except OutsideCalendarError:
            return None

    def requirements(self) -> Sequence[Requirement] | None:
        """The papers that the procedure asked for on the day of submission; None where they are not entered."""
        on = self.place.worktime.local_date(self.arrival.at)
        return self.place.centre.requirements_of(self.arrival.procedure.code, on)

    def document(self, need: Requirement | None) -> dict[str, Any]:
        """A paper handed in: an original at the counter, a file online."""
        title = need.name_vi if need else "Đơn đề nghị"
        document: dict[str, Any] = {"title": title} | ({"requirement": need.key} if need else {})
        if self.arrival.channel == "online":
            content = "".join(f"{self.lots.whole(0, 2**32 - 1):08x}" for _ in range(8))
            size = self.lots.whole(40, 2_000) * 1024
            document |= {"media_type": "application/pdf", "size": size, "sha256": content}
        return document


def begin(arrival: Arrival, person: Mapping[str, Any], place: Place) -> Life:
    """A life before its first act: who will serve it is drawn, and the dossier has its id."""
    lots = Lots(place.seed, "life", arrival.name)
    on = place.worktime.local_date(arrival.at)
    counters = place.receiving_counters(arrival.department, on)
    if lots.happens(place.figures.at_another_counter):
        counters = tuple(
            number
            for department in place.centre.departments_on(on)
            for number in place.centre.counters_on(on, "department", department.code)
        )
    desks = len(place.centre.counters_on(on, "department", arrival.department)) or 1
    return Life(
        place=place,
        arrival=arrival,
        lots=lots,
        person=person,
        dossier_id=dossier_id(arrival.at, "half-year", str(place.seed), arrival.name),
        clerk=clerk_at(lots.one_of(counters)),
        officer=Doer(
            id=f"officer-{arrival.department}-{lots.whole(1, desks + 1)}",
            role="officer",
            department=arrival.department,
        ),
    )


def clerk_at(counter: int) -> Doer:
    """The clerk of a counter."""
    return Doer(id=f"clerk-{counter}", role="clerk", counter=counter)
