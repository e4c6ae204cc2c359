"""Who comes when: dossiers by department and week, then by day, hour, channel and procedure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from motcua.lab.scenarios.half_year.parameters import Figures
from motcua.lab.scenarios.half_year.random_stream import Lots
from shared.kernel.centre import Centre, Procedure
from shared.kernel.errors import StartError
from shared.kernel.weeks import WEEK, monday
from shared.kernel.worktime import Worktime, midnight

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request that comes in at an aware instant. `name` is its own in the whole half year."""

    name: str
    department: str
    procedure: Procedure
    channel: str
    at: datetime


class Arrivals:
    """What comes to the centre. A week is drawn alike however many weeks are asked for."""

    def __init__(
        self, centre: Centre, worktime: Worktime, standard_day: timedelta, figures: Figures, seed: int
    ) -> None:
        """Raises StartError where the centre lacks a department of the figures, or a procedure for it."""
        self._worktime = worktime
        self._figures = figures
        self._seed = seed
        self._procedures = _procedures(centre, standard_day, figures)
        every = sum(self._rush(day) for day in _days(figures.opens_on, figures.ends_on) if self._works(day))
        self._scale = figures.total / every

    def weeks(self) -> list[tuple[date, date]]:
        """First and last day of each week that can be asked for.

        The opening days before the first whole week belong to it, and the days after the last one to that.
        """
        figures = self._figures
        first, last = monday(figures.opens_on), monday(figures.ends_on)
        if first < figures.opens_on:
            first += WEEK
        if last + WEEK - _DAY > figures.ends_on:
            last -= WEEK
        starts = [first + WEEK * count for count in range((last - first) // WEEK + 1)]
        ends = [start + WEEK - _DAY for start in starts]
        starts[0], ends[-1] = figures.opens_on, figures.ends_on
        return list(zip(starts, ends, strict=True))

    def between(self, first: date, last: date) -> Iterator[tuple[date, list[Arrival]]]:
        """From `first` to `last`, both included: each calendar week's first date, and what comes in it."""
        start = first
        while start <= last:
            end = min(monday(start) + WEEK - _DAY, last)
            yield start, [one for code in self._figures.departments() for one in self._week(code, start, end)]
            start = end + _DAY

    def _week(self, department: str, first: date, last: date) -> Iterator[Arrival]:
        figures, name = self._figures, f"{department}-{monday(first):%y%m%d}"
        lots = Lots(self._seed, "week", name)
        days = {day: self._rush(day) for day in _days(first, last)}
        working = {day: rush for day, rush in days.items() if self._works(day)}
        count = lots.number(sum(working.values()) * self._scale * figures.departments()[department])
        if department in figures.small:
            count = min(count, len(working) * (figures.small_below - 1) // 5)
        for number in range(1, count + 1):
            channel = lots.weighted(figures.channels)
            yield Arrival(
                name=f"{name}-{number:03}",
                department=department,
                procedure=lots.weighted(self._procedures[department]),
                channel=channel,
                at=self._instant(channel, lots.weighted(days if channel == "online" else working), lots),
            )

    def _instant(self, channel: str, day: date, lots: Lots) -> datetime:
        figures = self._figures
        if channel == "online":
            at = midnight(day, self._worktime.zone) + _DAY * lots.in_shape(figures.online_day_shape)
        elif channel == "post":
            at = moment_of(self._worktime, day, lots.between(0.1, 0.3))
        else:
            at = moment_of(self._worktime, day, lots.in_shape(figures.working_day_shape))
        return at.replace(microsecond=0)

    def _rush(self, day: date) -> float:
        return self._figures.seasons[day.month] * self._figures.weekdays[day.isoweekday()]

    def _works(self, day: date) -> bool:
        return self._worktime.is_working_day(day)


def moment_of(worktime: Worktime, day: date, share: float) -> datetime:
    """The instant by which that share of a working day's working time has passed; in a window, whole seconds."""
    opening = worktime.opening(day)
    length = worktime.elapsed(opening, worktime.closing(day))
    return worktime.from_opening(worktime.add(opening, length * share)).replace(microsecond=0)


def term_time(procedure: Procedure, standard_day: timedelta, figures: Figures) -> timedelta:
    """About how much working time the procedure's term gives; five of seven calendar days are worked."""
    term = procedure.term
    if term is None:
        return standard_day * figures.no_term_days
    if term.unit == "working_hour":
        return timedelta(hours=term.value)
    if term.unit == "calendar_day":
        return standard_day * (term.value * 5 / 7)
    return standard_day * max(term.value, 1)


def _procedures(centre: Centre, standard_day: timedelta, figures: Figures) -> dict[str, Mapping[Procedure, float]]:
    """Each department's procedures with their weights: the shorter the term, the more are asked for."""
    found: dict[str, Mapping[Procedure, float]] = {}
    for code in figures.departments():
        known = [procedure for key in centre.procedures if (procedure := centre.procedure(key, figures.opens_on))]
        own = [procedure for procedure in known if code in procedure.departments]
        if centre.department(code, figures.opens_on) is None or not own:
            raise StartError(
                f"centre {centre.code} has no department {code} with a procedure on {figures.opens_on}: the half year "
                "is drawn for the centre of config/binh-phuoc"
            )
        own.sort(key=lambda procedure: (term_time(procedure, standard_day, figures), procedure.code))
        found[code] = {own_one: 1 / (rank**figures.short_terms_first) for rank, own_one in enumerate(own, 1)}
    return found


def _days(first: date, last: date) -> Iterator[date]:
    return (first + _DAY * count for count in range((last - first).days + 1))
