"""Phrases of messages: counts and suggestions."""

import pytest

from shared.kernel.words import did_you_mean, number_of


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 faults"), (1, "1 fault"), (2, "2 faults"), (31361, "31,361 faults")]
)
def test_count_agrees_with_its_noun(count: int, words: str) -> None:
    """A count has a separator for thousands, and its noun is singular only for 1."""
    assert number_of(count, "fault") == words


def test_irregular_plural_is_used() -> None:
    """An irregular plural is passed as an argument."""
    assert [number_of(count, "entry", "entries") for count in (1, 2)] == ["1 entry", "2 entries"]


def test_only_a_similar_word_is_suggested() -> None:
    """A suggestion is made only for a similar word."""
    assert did_you_mean("run.csv", ["runs.csv", "centre.toml"]) == " (did you mean runs.csv?)"
    assert did_you_mean("notes.txt", ["runs.csv", "centre.toml"]) == ""
