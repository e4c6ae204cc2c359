"""The scenarios of the tests of a whole centre are deterministic and cover every kind."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from motcua.local.keys import key_specs
from shared.catalogue import Centre, load_centre
from tests.support.scenarios import SCENES, Scenario, plan

ON = date(2026, 11, 23)


@pytest.fixture(scope="module")
def centre() -> Centre:
    return load_centre(Path("config/binh-phuoc"))


@pytest.fixture(scope="module")
def scenarios(centre: Centre) -> list[Scenario]:
    return plan(centre, ON, count=200)


def test_same_seed_gives_same_scenarios(centre: Centre, scenarios: list[Scenario]) -> None:
    """Two runs with one seed have the same acts, so they can be compared."""
    assert plan(centre, ON, count=200) == scenarios
    assert plan(centre, ON, count=200, seed=1) != scenarios


def test_two_hundred_scenarios_contain_every_kind(scenarios: list[Scenario]) -> None:
    """Forty scenarios contain all kinds, so two hundred contain each at least five times."""
    kinds = Counter(scenario.kind for scenario in scenarios)
    assert len(kinds) == 19
    assert min(kinds.values()) == 5


def test_every_act_has_a_key_of_the_centre(centre: Centre, scenarios: list[Scenario]) -> None:
    """Each act uses an API key that a local centre creates."""
    made = {wanted.id for wanted in key_specs(centre, ON)}
    assert {step.key for scenario in scenarios for step in scenario.steps} <= made


def test_scenes_of_a_scenario_are_in_order(scenarios: list[Scenario]) -> None:
    """A later act is never in an earlier scene."""
    for scenario in scenarios:
        scenes = [step.scene for step in scenario.steps]
        assert scenes == sorted(scenes), scenario.kind
        assert scenes[-1] < len(SCENES)


def test_pooled_department_is_received_at_general_counter(centre: Centre, scenarios: list[Scenario]) -> None:
    """The clerk who receives for a pooled department works at the general counter."""
    general = {f"clerk-{number}" for number in centre.counters_on(ON, "general")}
    pooled = [
        scenario
        for scenario in scenarios
        for step in scenario.steps
        if step.act == "take_over" and centre.pooling(step.key[8:], ON)
    ]
    assert pooled
    assert all(
        step.key in general for scenario in pooled for step in scenario.steps if step.act in ("receive", "hand_over")
    )
