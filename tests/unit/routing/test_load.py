"""What comes to a counter by the hour against what its officers can take: by hand."""

from datetime import UTC, date, datetime

import pytest

from services.routing.domain.load import Arrivals, minutes_by_hour, place_load
from shared.catalogue import load_centre
from shared.kernel.centre import Centre, ServiceTime
from tests.support.centre_folder import SERVICE_TIMES, STAFFING, write_centre
from tests.support.hand_clock import ZONE, at
from tests.unit.sla.given import VIETNAM

ON = date(2018, 1, 9)  # a Tuesday
BEFORE = date(2018, 1, 2)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """Its general counter has hours of its own and two officers."""
    folder = tmp_path_factory.mktemp("centre")
    return load_centre(write_centre(folder, staffing_csv=STAFFING, service_times_csv=SERVICE_TIMES))


def test_minutes_fall_into_local_hours() -> None:
    windows = [(at("2018-01-09 07:00"), at("2018-01-09 11:30")), (at("2018-01-09 13:30"), at("2018-01-09 14:10"))]
    assert minutes_by_hour(windows, ZONE) == {7: 60, 8: 60, 9: 60, 10: 60, 11: 30, 13: 30, 14: 10}
    assert minutes_by_hour([], ZONE) == {}
    late = (datetime(2018, 1, 9, 16, 50, tzinfo=UTC), datetime(2018, 1, 9, 17, 20, tzinfo=UTC))
    assert minutes_by_hour([late], ZONE) == {23: 10, 0: 20}


def test_the_mean_lies_above_the_median() -> None:
    """12 and 30 minutes: sigma 0.715, mean 15.49."""
    time = ServiceTime(valid_from=ON, decision="", procedure=None, median_minutes=12, p90_minutes=30)
    assert (round(time.sigma, 3), round(time.mean_minutes, 2)) == (0.715, 15.49)
    with pytest.raises(ValueError, match="must be above median_minutes"):
        ServiceTime(valid_from=ON, decision="", procedure=None, median_minutes=12, p90_minutes=12)


def test_expected_is_the_mean_of_the_sample_and_work_its_minutes(centre: Centre) -> None:
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
    assert (hours[12].use, hours[20].use, hours[20].arrived) == (None, None, 1)  # closed: nobody serves
    assert load.peak is hours[8]
    own = place_load(
        centre, VIETNAM.worktime, ON, department="STP", receives_for=("STP",), past=past, sample_days=1, today={}
    )
    assert (own.counters, own.officers) == ((1, 2), 2)
    assert own.peak is not None
    assert own.peak.use == pytest.approx(50 * 15.49 / 120, abs=0.01)


def test_nobody_serves_on_a_day_off(centre: Centre) -> None:
    load = place_load(
        centre, VIETNAM.worktime, date(2018, 1, 7), department="STP", receives_for=("STP",), past=[], sample_days=1,
        today={},
    )  # fmt: skip
    assert (load.hours, load.peak, load.counters) == ((), None, (1, 2))
