"""Random arrivals: dossiers by department and week, each with its day, time, channel and procedure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from motcua.lab.scenarios.half_year.parameters import Parameters
from motcua.lab.scenarios.half_year.random_stream import RandomStream
from shared.kernel.centre import Centre, Procedure
from shared.kernel.errors import StartError
from shared.kernel.weeks import WEEK, monday
from shared.kernel.worktime import Worktime, midnight

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request that arrives at an aware instant. `name` identifies it: its department, week and number in the week."""

    name: str
    department: str
    procedure: Procedure
    channel: str
    at: datetime


class Arrivals:
    """The random arrivals at a centre. What is drawn for a week does not depend on how many weeks are drawn."""

    def __init__(
        self, centre: Centre, worktime: Worktime, standard_day: timedelta, parameters: Parameters, seed: int
    ) -> None:
        """Raises StartError if a department of the parameters is not in the centre or has no procedure there."""
        self._worktime = worktime
        self._parameters = parameters
        self._seed = seed
        self._procedures = _procedures(centre, standard_day, parameters)
        every = sum(self._weight(day) for day in _days(parameters.opens_on, parameters.ends_on) if self._works(day))
        self._scale = parameters.total / every

    def weeks(self) -> list[tuple[date, date]]:
        """Return the first and last date of each week of the half year, Monday to Sunday.

        Days before the first Monday are added to the first week, days after the last Sunday to the last week.
        """
        parameters = self._parameters
        first, last = monday(parameters.opens_on), monday(parameters.ends_on)
        if first < parameters.opens_on:
            first += WEEK
        if last + WEEK - _DAY > parameters.ends_on:
            last -= WEEK
        starts = [first + WEEK * count for count in range((last - first) // WEEK + 1)]
        ends = [start + WEEK - _DAY for start in starts]
        starts[0], ends[-1] = parameters.opens_on, parameters.ends_on
        return list(zip(starts, ends, strict=True))

    def between(self, first: date, last: date) -> Iterator[tuple[date, list[Arrival]]]:
        """Draw the arrivals from `first` to `last` (both included), one calendar week at a time.

        Yield the first date of each week within that span, and the arrivals of the week by department, not by time.
        """
        start = first
        while start <= last:
            end = min(monday(start) + WEEK - _DAY, last)
            yield start, [one for code in self._parameters.departments() for one in self._week(code, start, end)]
            start = end + _DAY

    def _week(self, department: str, first: date, last: date) -> Iterator[Arrival]:
        parameters, name = self._parameters, f"{department}-{monday(first):%y%m%d}"
        stream = RandomStream(self._seed, "week", name)
        days = {day: self._weight(day) for day in _days(first, last)}
        working = {day: weight for day, weight in days.items() if self._works(day)}
        count = stream.poisson(sum(working.values()) * self._scale * parameters.departments()[department])
        if department in parameters.small:
            count = min(count, len(working) * (parameters.small_below - 1) // 5)
        for number in range(1, count + 1):
            channel = stream.weighted_choice(parameters.channels)
            yield Arrival(
                name=f"{name}-{number:03}",
                department=department,
                procedure=stream.weighted_choice(self._procedures[department]),
                channel=channel,
                at=self._instant(channel, stream.weighted_choice(days if channel == "online" else working), stream),
            )

    def _instant(self, channel: str, day: date, stream: RandomStream) -> datetime:
        parameters = self._parameters
        if channel == "online":
            at = midnight(day, self._worktime.zone) + _DAY * stream.from_histogram(parameters.online_day_shape)
        elif channel == "post":
            at = instant_in_day(self._worktime, day, stream.uniform(0.1, 0.3))
        else:
            at = instant_in_day(self._worktime, day, stream.from_histogram(parameters.working_day_shape))
        return at.replace(microsecond=0)

    def _weight(self, day: date) -> float:
        return self._parameters.seasons[day.month] * self._parameters.weekdays[day.isoweekday()]

    def _works(self, day: date) -> bool:
        return self._worktime.is_working_day(day)


def instant_in_day(worktime: Worktime, day: date, share: float) -> datetime:
    """Return the instant at which `share` (0 to 1) of a date's working time has passed, in whole seconds.

    A closing time is moved to the next opening. Raises ValueError if the date is not a working day, and
    OutsideCalendarError if the instant is not in the calendar.
    """
    opening = worktime.opening(day)
    length = worktime.elapsed(opening, worktime.closing(day))
    return worktime.from_opening(worktime.add(opening, length * share)).replace(microsecond=0)


def term_time(procedure: Procedure, standard_day: timedelta, parameters: Parameters) -> timedelta:
    """Return an estimate of the working time that a procedure's term gives: five of seven calendar days count.

    A procedure without a term gets the default of the parameters; a term of the same day gives one day.
    """
    term = procedure.term
    if term is None:
        return standard_day * parameters.no_term_days
    if term.unit == "working_hour":
        return timedelta(hours=term.value)
    if term.unit == "calendar_day":
        return standard_day * (term.value * 5 / 7)
    return standard_day * max(term.value, 1)


def _procedures(
    centre: Centre, standard_day: timedelta, parameters: Parameters
) -> dict[str, Mapping[Procedure, float]]:
    """Return, by department code, procedures with their weights for the draw. A shorter term has a larger weight.

    Raises StartError if the centre has no such department, or the department no procedure.
    """
    found: dict[str, Mapping[Procedure, float]] = {}
    for code in parameters.departments():
        known = [procedure for key in centre.procedures if (procedure := centre.procedure(key, parameters.opens_on))]
        own = [procedure for procedure in known if code in procedure.departments]
        if centre.department(code, parameters.opens_on) is None or not own:
            raise StartError(
                f"Centre {centre.code} has no department {code} with a procedure on {parameters.opens_on}. The half "
                "year needs the centre of config/binh-phuoc."
            )
        own.sort(key=lambda procedure: (term_time(procedure, standard_day, parameters), procedure.code))
        found[code] = {own_one: 1 / (rank**parameters.short_terms_first) for rank, own_one in enumerate(own, 1)}
    return found


def _days(first: date, last: date) -> Iterator[date]:
    return (first + _DAY * count for count in range((last - first).days + 1))
