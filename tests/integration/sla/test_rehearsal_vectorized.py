"""The vectorised tallies of a rehearsal equal the row-by-row tallies."""

from datetime import date
from pathlib import Path
from random import Random

import pytest

from motcua.local.embedded import kafka
from services.sla.calendars.rehearsal import Rehearsal
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.calendar_changes import CalendarChange, apply_change
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Centre
from tests.integration.sla.site import Sla, sla_running
from tests.support import Databases
from tests.support.centre_folder import write_centre
from tests.support.dossier_events import DossierEvents

OFF = tuple(CalendarException(date(2018, 1, day), "off", "decided") for day in (9, 10))
DEPARTMENTS = ("STP", "STC", "CA")


async def _received(sla: Sla, lot: Random) -> None:
    events: list[AnyEnvelope] = []
    for number in range(60):
        dossier, day = DossierEvents(), lot.randint(2, 8)
        dossier.at(f"2018-01-{day:02} {lot.randint(6, 18):02}:30")
        events.append(dossier.received(lot.choice(("2.000908", "L.7", "9.999999")), lot.choice(DEPARTMENTS)))
        if number % 4 == 0:
            events.append(dossier.at(f"2018-01-{day:02} 19:00").supplement_required())
        if number % 8 == 0:
            events.append(dossier.at("2018-01-09 08:00").supplement_received())
    await sla.consume(*events)


@pytest.mark.parametrize(
    "change", [CalendarChange(OFF), CalendarChange((), date(2027, 12, 31))], ids=["two days off", "a longer calendar"]
)
async def test_vectorized_and_row_by_row_tallies_are_equal(
    sla_broker: kafka.Broker, database: Databases, tmp_path: Path, change: CalendarChange
) -> None:
    """For known and unknown procedures, with and without a term, and with and without pauses."""
    url, centre = database.fresh("sla").url("sla"), write_centre(tmp_path / "centre")
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-09 09:00") as sla:
        await _received(sla, Random(2018))
        rehearsal, stepwise = (_rehearsal(sla, sla.context.centre, change) for _ in range(2))
        stepwise._arrays = None
        for department in (None, "STC"):
            by_columns, by_steps = await rehearsal.totals(department), await stepwise.totals(department)
            assert by_columns == by_steps
            assert sum(tally.open for tally in by_steps.values()) >= (60 if department is None else 1)
            if change.exceptions:
                assert sum(tally.later for tally in by_steps.values()) > 0


def _rehearsal(sla: Sla, centre: Centre, change: CalendarChange) -> Rehearsal:
    now = sla.clock.now()
    proposed = compile_calendar(apply_change(change, centre.calendar, decision="", now=now))
    return Rehearsal(sla.context.pool, centre, proposed, version=1, now=now)
