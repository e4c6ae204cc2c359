"""Numbers and their words agree."""

import pytest

from shared.kernel.words import did_you_mean, number_of


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 faults"), (1, "1 fault"), (2, "2 faults"), (31361, "31,361 faults")]
)
def test_one_stands_alone(count: int, words: str) -> None:
    """Thousands are set apart."""
    assert number_of(count, "fault") == words


def test_a_plural_may_be_its_own() -> None:
    """Not every plural is made with an s."""
    assert [number_of(count, "entry", "entries") for count in (1, 2)] == ["1 entry", "2 entries"]


def test_only_what_is_near_is_asked_for() -> None:
    """A guess that is far off would mislead."""
    assert did_you_mean("run.csv", ["runs.csv", "centre.toml"]) == " (did you mean runs.csv?)"
    assert did_you_mean("notes.txt", ["runs.csv", "centre.toml"]) == ""
