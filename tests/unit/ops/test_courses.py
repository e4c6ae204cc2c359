"""Durations of a dossier's stages and pauses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.domain.courses import PAUSES, Course, Transition, advance

STATES = ("submitted", "received", "processing", *PAUSES, "settled", "returned", "withdrawn")


def transitions_of(*steps: tuple[str, float]) -> list[Transition]:
    """Return every transition of a dossier that enters these states at these seconds."""
    course: Course | None = None
    found: list[Transition] = []
    for sequence, (state, at) in enumerate(steps, start=1):
        course, transitions = advance(course, sequence, state, at)
        found += transitions
    return found


def test_next_state_ends_the_stage() -> None:
    """A stage ends when the next begins; a stage left at once has a duration of 0."""
    assert transitions_of(("submitted", 0), ("received", 0), ("processing", 60), ("settled", 100)) == [
        Transition("submitted", "received", 0),
        Transition("received", "processing", 60),
        Transition("processing", "settled", 40),
    ]


def test_pause_is_measured_apart_from_its_stage() -> None:
    """The interrupted stage continues after the pause and does not include it."""
    assert transitions_of(
        ("received", 0), ("supplement_required", 10), ("received", 110), ("payment_required", 120), ("received", 125),
        ("settled", 130),
    ) == [
        Transition("supplement_required", "received", 100),
        Transition("payment_required", "received", 5),
        Transition("received", "settled", 25),
    ]  # fmt: skip


def test_withdrawal_in_a_pause_ends_pause_and_stage() -> None:
    """A dossier that is withdrawn during a pause leaves both the pause and the stage."""
    assert transitions_of(("submitted", 0), ("supplement_required", 10), ("withdrawn", 50)) == [
        Transition("supplement_required", "withdrawn", 40),
        Transition("submitted", "withdrawn", 10),
    ]


def test_duplicate_event_changes_nothing() -> None:
    """An event with an applied sequence is a duplicate, which a relay sends after a missing acknowledgement."""
    course, _ = advance(None, 1, "submitted", 0)
    course, _ = advance(course, 2, "received", 5)
    assert advance(course, 2, "received", 5) == (course, [])
    assert advance(course, 1, "submitted", 0) == (course, [])


@pytest.mark.parametrize("state", ["received", "supplement_required"])
def test_event_without_state_change_ends_nothing(state: str) -> None:
    """An event that leaves the state unchanged advances the sequence and nothing else."""
    course, _ = advance(None, 1, state, 0)
    after, transitions = advance(course, 2, state, 7)
    assert transitions == []
    assert (after.sequence, after.stage, after.entered_at) == (2, course.stage, 0)


@given(st.lists(st.tuples(st.sampled_from(STATES), st.floats(0, 1e6)), min_size=1))
def test_durations_fit_into_the_elapsed_time(steps: list[tuple[str, float]]) -> None:
    """No duration is negative, and their sum is at most the time between the first and the last event."""
    in_order = [(state, at) for (state, _), at in zip(steps, sorted(at for _, at in steps), strict=True)]
    transitions = transitions_of(*in_order)
    assert all(one.seconds >= 0 for one in transitions)
    assert sum(one.seconds for one in transitions) <= in_order[-1][1] - in_order[0][1] + 1e-6
