"""A dossier's stages and pauses, as their times are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.domain.courses import PAUSES, Course, Passage, advance

STATES = ("submitted", "received", "processing", *PAUSES, "settled", "returned", "withdrawn")


def played(*steps: tuple[str, float]) -> list[Passage]:
    """Every passage of a dossier that comes into these states at these seconds."""
    course: Course | None = None
    found: list[Passage] = []
    for sequence, (state, at) in enumerate(steps, start=1):
        course, passages = advance(course, sequence, state, at)
        found += passages
    return found


def test_a_stage_ends_when_the_next_begins() -> None:
    """Submitted and received at once takes no time."""
    assert played(("submitted", 0), ("received", 0), ("processing", 60), ("settled", 100)) == [
        Passage("submitted", "received", 0),
        Passage("received", "processing", 60),
        Passage("processing", "settled", 40),
    ]


def test_a_pause_is_told_apart() -> None:
    """The stage that it interrupts is shorter by it, and goes on afterwards."""
    assert played(
        ("received", 0), ("supplement_required", 10), ("received", 110), ("payment_required", 120), ("received", 125),
        ("settled", 130),
    ) == [
        Passage("supplement_required", "received", 100),
        Passage("payment_required", "received", 5),
        Passage("received", "settled", 25),
    ]  # fmt: skip


def test_a_pause_may_end_the_dossier() -> None:
    """Withdrawn while papers are awaited: both the pause and the stage are over."""
    assert played(("submitted", 0), ("supplement_required", 10), ("withdrawn", 50)) == [
        Passage("supplement_required", "withdrawn", 40),
        Passage("submitted", "withdrawn", 10),
    ]


def test_an_event_that_came_before_changes_nothing() -> None:
    """By its sequence: a relay sends again what nobody acknowledged."""
    course, _ = advance(None, 1, "submitted", 0)
    course, _ = advance(course, 2, "received", 5)
    assert advance(course, 2, "received", 5) == (course, [])
    assert advance(course, 1, "submitted", 0) == (course, [])


@pytest.mark.parametrize("state", ["received", "supplement_required"])
def test_an_event_that_leaves_the_state_as_it_is_ends_nothing(state: str) -> None:
    """Only its sequence is noted."""
    course, _ = advance(None, 1, state, 0)
    after, passages = advance(course, 2, state, 7)
    assert passages == []
    assert (after.sequence, after.stage, after.entered_at) == (2, course.stage, 0)


@given(st.lists(st.tuples(st.sampled_from(STATES), st.floats(0, 1e6)), min_size=1))
def test_times_add_up(steps: list[tuple[str, float]]) -> None:
    """No duration is negative, and together they never exceed the time between the first and the last event."""
    in_order = [(state, at) for (state, _), at in zip(steps, sorted(at for _, at in steps), strict=True)]
    passages = played(*in_order)
    assert all(one.seconds >= 0 for one in passages)
    assert sum(one.seconds for one in passages) <= in_order[-1][1] - in_order[0][1] + 1e-6
