"""Schedule of the load at a constant rate, and trace of a message back to its act."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.bench.message_trace import act_of, trace
from tests.bench.steady_load import AnsweredAct, schedule
from tests.support.scenarios import Scenario, Step

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


def _scenarios(count: int, steps: int = 3) -> list[Scenario]:
    return [
        Scenario(number, "made up", tuple(Step(0, f"act {n}", "clerk-1") for n in range(steps)))
        for number in range(count)
    ]


def test_acts_are_scheduled_at_the_requested_rate() -> None:
    """One act is scheduled every 1/rate seconds, regardless of the scenarios."""
    scheduled = schedule(_scenarios(200), rate=20.0, seconds=10.0, apart=2.0)
    assert [one.after for one in scheduled] == [slot / 20 for slot in range(200)]


def test_steps_of_a_scenario_are_scheduled_in_order_and_apart() -> None:
    """The acts of one dossier are in order, with the minimum distance between them."""
    scheduled = schedule(_scenarios(200), rate=20.0, seconds=10.0, apart=2.0)
    for number in {one.scenario.number for one in scheduled}:
        steps = [one for one in scheduled if one.scenario.number == number]
        assert [one.index for one in steps] == list(range(len(steps)))
        assert all(later.after - earlier.after > 1.99 for earlier, later in pairwise(steps))


def test_schedule_with_too_few_scenarios_raises_an_error() -> None:
    """A schedule with fewer acts than requested would measure a lower rate than it reports."""
    with pytest.raises(ValueError, match="5 scenarios do not suffice"):
        schedule(_scenarios(5), rate=20.0, seconds=10.0, apart=2.0)


@pytest.mark.parametrize(("sequence", "act"), [(1, "submit"), (2, "submit"), (3, "take_over"), (5, None)])
def test_event_belongs_to_the_first_act_whose_last_event_is_not_before_it(sequence: int, act: str | None) -> None:
    """An act may publish several events, and its answer has the sequence of the last one."""
    acts = [
        AnsweredAct("take_over", AT, 0.1, accepted=True, dossier_id="d", sequence=3),
        AnsweredAct("submit", AT, 0.1, accepted=True, dossier_id="d", sequence=2),
    ]
    answered = act_of(acts, sequence)
    assert (answered.act if answered else None) == act


def test_stages_of_a_trace_add_up_to_its_latency() -> None:
    """Each stage begins when the previous one ends."""
    marks = [("a", AT + timedelta(milliseconds=20)), ("b", AT + timedelta(milliseconds=50))]
    traced = trace("sms", "received", AT, marks, via_sla=False)
    assert traced.stages == {"a": pytest.approx(0.02), "b": pytest.approx(0.03)}
    assert traced.seconds == pytest.approx(0.05)
