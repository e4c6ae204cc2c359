"""The instant of an act, and how far back an act may be dated."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.intake.domain.backdating import Backdating, instant_of_act
from shared.kernel.errors import Refusal
from shared.kernel.worktime import Worktime
from shared.service.problems import status_of

NOW = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)  # Tuesday, 10:00 in Vietnam
HOUR = timedelta(hours=1)


def calendar() -> Worktime:
    """Monday 2 and Tuesday 3 March 2026, 07:00-11:30 and 13:30-17:00 in Vietnam."""
    opens, closes = [], []
    for day in (2, 3):
        for opening, closing in (((0, 0), (4, 30)), ((6, 30), (10, 0))):
            opens.append(int(datetime(2026, 3, day, *opening, tzinfo=UTC).timestamp()))
            closes.append(int(datetime(2026, 3, day, *closing, tzinfo=UTC).timestamp()))
    return Worktime(
        name="vn-public",
        zone="Asia/Ho_Chi_Minh",
        first_date=date(2026, 3, 1),
        last_date=date(2026, 3, 4),
        opens=opens,
        closes=closes,
    )


ONE_DAY = Backdating(limit=8 * HOUR, calendar=calendar())


def test_act_without_an_instant_happens_now() -> None:
    """`occurred_at` defaults to the centre's time."""
    assert instant_of_act(None, now=NOW, previous=NOW - HOUR, backdating=None) == NOW


def test_act_without_an_instant_is_never_before_the_previous_act() -> None:
    """The clocks of replicas differ slightly; the order of a dossier's acts does not change."""
    previous = NOW + timedelta(milliseconds=3)
    assert instant_of_act(None, now=NOW, previous=previous, backdating=None) == previous


def test_instant_in_the_future_is_refused() -> None:
    """One second is enough."""
    with pytest.raises(Refusal, match="in the future") as refusal:
        instant_of_act(NOW + timedelta(seconds=1), now=NOW, previous=None, backdating=ONE_DAY)
    assert (status_of(refusal.value), refusal.value.errors[0].pointer) == (422, "/occurred_at")


def test_instant_before_the_previous_act_is_refused() -> None:
    """The instant of the previous act is allowed."""
    assert instant_of_act(NOW - HOUR, now=NOW, previous=NOW - HOUR, backdating=ONE_DAY) == NOW - HOUR
    with pytest.raises(Refusal, match="previous act") as refusal:
        instant_of_act(NOW - 2 * HOUR, now=NOW, previous=NOW - HOUR, backdating=ONE_DAY)
    assert status_of(refusal.value) == 422


def test_instant_at_the_limit_of_working_time_is_allowed() -> None:
    """Eight working hours before Tuesday 10:00 is Monday 10:00: the noon break and the night do not count."""
    a_day_ago = NOW - 24 * HOUR
    assert instant_of_act(a_day_ago, now=NOW, previous=None, backdating=ONE_DAY) == a_day_ago
    with pytest.raises(Refusal, match="more than 8 working hours ago") as refusal:
        instant_of_act(a_day_ago - timedelta(seconds=1), now=NOW, previous=None, backdating=ONE_DAY)
    assert status_of(refusal.value) == 422


def test_instant_before_the_calendar_begins_is_too_long_ago() -> None:
    """Its working time cannot be measured."""
    with pytest.raises(Refusal, match="working hours ago"):
        instant_of_act(NOW - timedelta(days=30), now=NOW, previous=None, backdating=ONE_DAY)


def test_act_is_not_dated_back_without_a_calendar() -> None:
    """The status is 503 and the message has a remedy; an act that happens now is accepted."""
    assert instant_of_act(NOW, now=NOW, previous=None, backdating=None) == NOW
    with pytest.raises(Refusal, match="Omit occurred_at") as refusal:
        instant_of_act(NOW - timedelta(seconds=1), now=NOW, previous=None, backdating=None)
    assert status_of(refusal.value) == 503


def test_simulated_clock_accepts_acts_up_to_its_limit() -> None:
    """Acts up to `accepts_until` are accepted, even if the clock's own time is earlier."""
    until = NOW + 4 * HOUR
    assert instant_of_act(until, now=NOW, previous=None, backdating=None, accepts_until=until) == until
    with pytest.raises(Refusal, match="accepts acts until 2026-03-03T07:00:00Z") as refusal:
        instant_of_act(until + timedelta(seconds=1), now=NOW, previous=None, backdating=None, accepts_until=until)
    assert status_of(refusal.value) == 422


def test_simulated_clock_accepts_an_act_of_long_ago() -> None:
    """No calendar limits it, but an act is still not before the dossier's previous one."""
    long_ago = NOW - timedelta(days=3000)
    assert instant_of_act(long_ago, now=NOW, previous=None, backdating=None, accepts_until=NOW) == long_ago
    with pytest.raises(Refusal, match="previous act"):
        instant_of_act(long_ago, now=NOW, previous=NOW - HOUR, backdating=None, accepts_until=NOW)
