"""The hourly load of counters, against values that were computed by hand."""

from datetime import UTC, date, datetime

import pytest

from services.routing.domain.load import Arrivals, minutes_by_hour, place_load
from shared.catalogue import load_centre
from shared.kernel.centre import Centre, ServiceTime
from tests.support.centre_folder import SERVICE_TIMES, STAFFING, write_centre
from tests.support.hand_clock import ZONE, at
from tests.unit.sla.builders import VIETNAM

ON = date(2018, 1, 9)  # a Tuesday
BEFORE = date(2018, 1, 2)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """A centre whose general counter has opening windows of its own and two officers."""
    folder = tmp_path_factory.mktemp("centre")
    return load_centre(write_centre(folder, staffing_csv=STAFFING, service_times_csv=SERVICE_TIMES))


def test_minutes_by_hour_are_local() -> None:
    """Minutes of windows are counted by the hour of the centre's zone."""
    windows = [(at("2018-01-09 07:00"), at("2018-01-09 11:30")), (at("2018-01-09 13:30"), at("2018-01-09 14:10"))]
    assert minutes_by_hour(windows, ZONE) == {7: 60, 8: 60, 9: 60, 10: 60, 11: 30, 13: 30, 14: 10}
    assert minutes_by_hour([], ZONE) == {}
    late = (datetime(2018, 1, 9, 16, 50, tzinfo=UTC), datetime(2018, 1, 9, 17, 20, tzinfo=UTC))
    assert minutes_by_hour([late], ZONE) == {23: 10, 0: 20}


def test_mean_service_time_is_log_normal() -> None:
    """A median of 12 and a p90 of 30 minutes give sigma 0.715 and the mean 15.49; p90 must exceed the median."""
    time = ServiceTime(valid_from=ON, decision="", procedure=None, median_minutes=12, p90_minutes=30)
    assert (round(time.sigma, 3), round(time.mean_minutes, 2)) == (0.715, 15.49)
    with pytest.raises(ValueError, match="must be above median_minutes"):
        ServiceTime(valid_from=ON, decision="", procedure=None, median_minutes=12, p90_minutes=12)


def test_expected_load_is_mean_of_sample(centre: Centre) -> None:
    """The expectation is the mean over the sample days; its work is the mean service time of each dossier."""
    past = [
        Arrivals("STC", "1.000001", BEFORE, 8, 6),
        Arrivals("CA", "L.7", BEFORE, 8, 2),
        Arrivals("CA", "L.7", BEFORE, 12, 2),
        Arrivals("STP", "2.000908", BEFORE, 8, 50),
    ]
    load = place_load(
        centre, VIETNAM.worktime, ON, department=None, receives_for=("STC", "CA"), past=past, sample_days=2,
        today={8: 3, 20: 1},
    )  # fmt: skip
    hours = {hour.hour: hour for hour in load.hours}
    assert (load.counters, load.officers, sorted(hours)) == ((5,), 2, [7, 8, 9, 10, 12, 14, 15, 16, 20])
    assert (hours[8].expected, hours[8].arrived, hours[8].minutes) == (4, 3, 120)
    assert hours[8].work == pytest.approx(3 * 15.49 + 1 * 23.16, abs=0.02)
    assert (hours[12].use, hours[20].use, hours[20].arrived) == (None, None, 1)  # no counter is open
    assert load.peak is hours[8]
    own = place_load(
        centre, VIETNAM.worktime, ON, department="STP", receives_for=("STP",), past=past, sample_days=1, today={}
    )
    assert (own.counters, own.officers) == ((1, 2), 2)
    assert own.peak is not None
    assert own.peak.use == pytest.approx(50 * 15.49 / 120, abs=0.01)


def test_day_off_has_no_open_hours(centre: Centre) -> None:
    """On a day off there are no hours and no peak, but the counters are listed."""
    load = place_load(
        centre, VIETNAM.worktime, date(2018, 1, 7), department="STP", receives_for=("STP",), past=[], sample_days=1,
        today={},
    )  # fmt: skip
    assert (load.hours, load.peak, load.counters) == ((), None, (1, 2))
