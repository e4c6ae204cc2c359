"""The half year as a stream of acts in time order, and the ledger of what was in it."""

import heapq
from collections.abc import Iterator
from datetime import date, datetime

from motcua.lab.past_acts import PastAct
from motcua.lab.scenarios.half_year.applicants import applicant
from motcua.lab.scenarios.half_year.arrivals import Arrival, Arrivals
from motcua.lab.scenarios.half_year.dossier import Place, begin
from motcua.lab.scenarios.half_year.ledger import Ledger
from motcua.lab.scenarios.half_year.parameters import Figures
from motcua.lab.scenarios.half_year.random_stream import Lots
from motcua.lab.scenarios.half_year.reception import receive
from motcua.lab.scenarios.half_year.resolution import give_back, work
from services.sla.domain.calendar import compile_calendar
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.kernel.worktime import midnight

DEFAULT_WEEKS = 6
DEFAULT_SEED = 2017


class HalfYear:
    """The centre of 2017, for its first `weeks` weeks at full volume.

    The same centre, seed and number of weeks give the same bytes; more weeks give the same acts and later ones
    besides. What lies after the last week is left out, so that dossiers stay open, as at any real centre on any day.
    """

    def __init__(
        self,
        centre: Centre,
        *,
        weeks: int = DEFAULT_WEEKS,
        seed: int = DEFAULT_SEED,
        figures: Figures | None = None,
    ) -> None:
        """Raises StartError for a number of weeks that there is not, or a centre that is not that of the figures."""
        self.figures = figures or Figures()
        calendar = compile_calendar(centre.calendar)
        self.centre = centre
        self.worktime = calendar.worktime
        self.standard_day = calendar.standard_day
        self._place = Place(centre, calendar.worktime, calendar.standard_day, self.figures, seed)
        self._arrivals = Arrivals(centre, calendar.worktime, calendar.standard_day, self.figures, seed)
        every = self._arrivals.weeks()
        if not 1 <= weeks <= len(every):
            raise StartError(f"the half year has 1 to {len(every)} weeks, not {weeks}")
        self.weeks = weeks
        self.seed = seed
        self.first_date: date = every[0][0]
        self.last_date: date = every[weeks - 1][1]
        self.ledger = Ledger(centre.zone)

    @property
    def starts_at(self) -> datetime:
        """0:00 of the first date: where a set centre's clock may start."""
        return midnight(self.first_date, self.worktime.zone)

    @property
    def ends_at(self) -> datetime:
        """24:00 of the last date; every act is before it."""
        return self.worktime.end_of(self.last_date)

    def dossiers(self) -> int:
        """How many there will be, without drawing their lives."""
        return sum(1 for _ in self.arrivals())

    def arrivals(self) -> Iterator[Arrival]:
        """Who comes, without drawing their lives; by week and department."""
        for _, arrivals in self._arrivals.between(self.first_date, self.last_date):
            yield from arrivals

    def acts(self) -> Iterator[PastAct]:
        """Every act in order of time. Each goes into a fresh `ledger` as it is taken; memory holds open lives only."""
        self.ledger = Ledger(self.ledger.zone)
        waiting: list[tuple[datetime, str, int, PastAct]] = []
        for week, arrivals in self._arrivals.between(self.first_date, self.last_date):
            yield from self._taken(waiting, midnight(week, self.worktime.zone))
            for arrival in arrivals:
                for place, act in enumerate(self._life(arrival)):
                    heapq.heappush(waiting, (act.occurred_at, arrival.name, place, act))
        yield from self._taken(waiting, self.ends_at)

    def _taken(self, waiting: list[tuple[datetime, str, int, PastAct]], until: datetime) -> Iterator[PastAct]:
        """What happened before an instant, in order of time, counted."""
        while waiting and waiting[0][0] < until:
            act = heapq.heappop(waiting)[3]
            self.ledger.count(act)
            yield act

    def _life(self, arrival: Arrival) -> list[PastAct]:
        person = applicant(Lots(self._place.seed, "applicant", arrival.name), self.figures)
        life = begin(arrival, person, self._place)
        if receive(life) and work(life):
            give_back(life)
        return life.acts
