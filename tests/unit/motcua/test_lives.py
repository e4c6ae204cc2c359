"""The lives that tests play: deterministic, of every kind, allowed by the life cycle unless a refusal is the point."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from motcua.local.keys import keys_of
from shared.catalogue import Centre, load_centre
from tests.support.lives import SCENES, Life, plan

ON = date(2026, 11, 23)


@pytest.fixture(scope="module")
def centre() -> Centre:
    return load_centre(Path("config/binh-phuoc"))


@pytest.fixture(scope="module")
def lives(centre: Centre) -> list[Life]:
    return plan(centre, ON, count=200)


def test_the_same_seed_gives_the_same_lives(centre: Centre, lives: list[Life]) -> None:
    """Two runs can be compared."""
    assert plan(centre, ON, count=200) == lives
    assert plan(centre, ON, count=200, seed=1) != lives


def test_every_kind_is_lived(lives: list[Life]) -> None:
    """Forty lives hold all kinds, so two hundred hold each at least five times."""
    kinds = Counter(life.kind for life in lives)
    assert len(kinds) == 19
    assert min(kinds.values()) == 5


def test_every_act_has_a_key_of_the_centre(centre: Centre, lives: list[Life]) -> None:
    """No step is done by a key that a local centre does not make."""
    made = {wanted.id for wanted in keys_of(centre, ON)}
    assert {step.key for life in lives for step in life.steps} <= made


def test_scenes_never_go_back(lives: list[Life]) -> None:
    """A life's later step is never in an earlier scene: scenes are played one after the other."""
    for life in lives:
        scenes = [step.scene for step in life.steps]
        assert scenes == sorted(scenes), life.kind
        assert scenes[-1] < len(SCENES)


def test_pooled_departments_are_received_at_the_general_counter(centre: Centre, lives: list[Life]) -> None:
    """The clerk who receives for a pooled department sits at the general counter."""
    general = {f"clerk-{number}" for number in centre.counters_on(ON, "general")}
    pooled = [
        life for life in lives for step in life.steps if step.act == "take_over" and centre.pooling(step.key[8:], ON)
    ]
    assert pooled
    assert all(step.key in general for life in pooled for step in life.steps if step.act in ("receive", "hand_over"))
