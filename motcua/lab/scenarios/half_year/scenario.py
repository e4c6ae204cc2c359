"""The half year as a stream of acts in time order, with a ledger of the acts taken from it."""

import heapq
from collections.abc import Iterator
from datetime import date, datetime

from motcua.lab.past_acts import PastAct
from motcua.lab.scenarios.half_year.applicants import applicant
from motcua.lab.scenarios.half_year.arrivals import Arrival, Arrivals
from motcua.lab.scenarios.half_year.dossier import DrawContext, new_dossier
from motcua.lab.scenarios.half_year.ledger import Ledger
from motcua.lab.scenarios.half_year.parameters import Parameters
from motcua.lab.scenarios.half_year.random_stream import RandomStream
from motcua.lab.scenarios.half_year.reception import receive
from motcua.lab.scenarios.half_year.resolution import process, return_result
from services.sla.domain.calendar import compile_calendar
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.kernel.worktime import midnight

DEFAULT_WEEKS = 6
DEFAULT_SEED = 2017


class HalfYear:
    """The acts at the centre of 2017 in its first `weeks` weeks, with all of its dossiers.

    The same centre, seed, parameters and number of weeks give the same acts, byte for byte. More weeks give the same
    acts and later ones. Acts after the last week are left out, so some dossiers stay open.
    """

    def __init__(
        self,
        centre: Centre,
        *,
        weeks: int = DEFAULT_WEEKS,
        seed: int = DEFAULT_SEED,
        parameters: Parameters | None = None,
    ) -> None:
        """Raises StartError for a number of weeks out of range, or a centre that does not fit the parameters."""
        self.parameters = parameters or Parameters()
        calendar = compile_calendar(centre.calendar)
        self.centre = centre
        self.worktime = calendar.worktime
        self.standard_day = calendar.standard_day
        self._context = DrawContext(centre, calendar.worktime, calendar.standard_day, self.parameters, seed)
        self._arrivals = Arrivals(centre, calendar.worktime, calendar.standard_day, self.parameters, seed)
        every = self._arrivals.weeks()
        if not 1 <= weeks <= len(every):
            raise StartError(f"The half year has 1 to {len(every)} weeks, not {weeks}.")
        self.weeks = weeks
        self.seed = seed
        self.first_date: date = every[0][0]
        self.last_date: date = every[weeks - 1][1]
        self.ledger = Ledger(centre.zone)

    @property
    def starts_at(self) -> datetime:
        """Local midnight at the start of the first date: the instant at which the simulated clock begins."""
        return midnight(self.first_date, self.worktime.zone)

    @property
    def ends_at(self) -> datetime:
        """Local midnight at the end of the last date. Every act is before it."""
        return self.worktime.end_of(self.last_date)

    def dossiers(self) -> int:
        """Count the dossiers of all `weeks` weeks, by drawing their arrivals but not their acts."""
        return sum(1 for _ in self.arrivals())

    def arrivals(self) -> Iterator[Arrival]:
        """Draw and yield all arrivals, ordered by week and department, without drawing their acts."""
        for _, arrivals in self._arrivals.between(self.first_date, self.last_date):
            yield from arrivals

    def acts(self) -> Iterator[PastAct]:
        """Yield every act in time order, and count it in `ledger`, which each call replaces with an empty one.

        Memory holds only the acts that are drawn but not yet yielded. Every call yields the same acts.
        """
        self.ledger = Ledger(self.ledger.zone)
        pending: list[tuple[datetime, str, int, PastAct]] = []
        for week, arrivals in self._arrivals.between(self.first_date, self.last_date):
            yield from self._before(midnight(week, self.worktime.zone), pending)
            for arrival in arrivals:
                for place, act in enumerate(self._draw(arrival)):
                    heapq.heappush(pending, (act.occurred_at, arrival.name, place, act))
        yield from self._before(self.ends_at, pending)

    def _before(self, until: datetime, pending: list[tuple[datetime, str, int, PastAct]]) -> Iterator[PastAct]:
        """Pop the acts before `until` from the heap `pending`, count each in `ledger` and yield it, in time order."""
        while pending and pending[0][0] < until:
            act = heapq.heappop(pending)[3]
            self.ledger.count(act)
            yield act

    def _draw(self, arrival: Arrival) -> list[PastAct]:
        person = applicant(RandomStream(self._context.seed, "applicant", arrival.name), self.parameters)
        dossier = new_dossier(arrival, person, self._context)
        if receive(dossier) and process(dossier):
            return_result(dossier)
        return dossier.acts
