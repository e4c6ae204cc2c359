"""A steady load keeps its rate and its dossiers' order, and a message is traced to the act that it comes from."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.bench.message_trace import act_of, course
from tests.bench.steady_load import Done, schedule
from tests.support.scenarios import Scenario, Step

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


def _lives(count: int, steps: int = 3) -> list[Scenario]:
    return [
        Scenario(number, "made up", tuple(Step(0, f"act {n}", "clerk-1") for n in range(steps)))
        for number in range(count)
    ]


def test_acts_are_sent_at_the_rate_asked_for() -> None:
    """One each 1/rate of a second, whatever lives there are."""
    planned = schedule(_lives(200), rate=20.0, seconds=10.0, apart=2.0)
    assert [one.after for one in planned] == [turn / 20 for turn in range(200)]


def test_steps_of_a_life_keep_their_order_and_their_distance() -> None:
    """A dossier's acts follow each other, so far apart that each can take effect before the next."""
    planned = schedule(_lives(200), rate=20.0, seconds=10.0, apart=2.0)
    for number in {one.life.number for one in planned}:
        mine = [one for one in planned if one.life.number == number]
        assert [one.place for one in mine] == list(range(len(mine)))
        assert all(later.after - earlier.after > 1.99 for earlier, later in pairwise(mine))


def test_too_few_lives_are_told() -> None:
    """A load that ran dry would measure less than it says."""
    with pytest.raises(ValueError, match="5 lives do not suffice"):
        schedule(_lives(5), rate=20.0, seconds=10.0, apart=2.0)


@pytest.mark.parametrize(("sequence", "act"), [(1, "submit"), (2, "submit"), (3, "take_over"), (5, None)])
def test_an_event_comes_from_the_act_whose_last_event_is_not_before_it(sequence: int, act: str | None) -> None:
    """An act may tell several events, and answers with the last one's sequence."""
    acts = [
        Done("take_over", AT, 0.1, accepted=True, dossier_id="d", sequence=3),
        Done("submit", AT, 0.1, accepted=True, dossier_id="d", sequence=2),
    ]
    found = act_of(acts, sequence)
    assert (found.act if found else None) == act


def test_stages_of_a_course_add_up_to_all_of_it() -> None:
    """Each stage ends where the next one begins."""
    marks = [("a", AT + timedelta(milliseconds=20)), ("b", AT + timedelta(milliseconds=50))]
    found = course("sms", "received", AT, marks, via_sla=False)
    assert found.stages == {"a": pytest.approx(0.02), "b": pytest.approx(0.03)}
    assert found.seconds == pytest.approx(0.05)
