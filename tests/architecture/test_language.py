"""Prose and names use plain technical English: banned words are counted per package, and the counts may only fall."""

from collections import Counter
from functools import cache

import pytest

from tests.architecture.language.check import (
    MAX_EXCEPTIONS,
    Finding,
    baseline,
    counts,
    exceptions,
    findings,
    uses_of_exceptions,
    words,
)

PACKAGES = tuple(baseline())


@cache
def _found() -> tuple[Finding, ...]:
    return tuple(findings())


def test_new_package_has_no_banned_word() -> None:
    """A package that the baseline does not list has none."""
    found = [finding for finding in _found() if counts([finding]).keys() - set(PACKAGES)]
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("package", PACKAGES)
def test_package_has_no_more_banned_words_than_its_baseline(package: str) -> None:
    """The count of a package that is not rewritten yet may only fall; when it falls, the baseline follows."""
    found = [finding for finding in _found() if package in counts([finding])]
    accepted = baseline()[package]
    assert len(found) <= accepted, "\n".join(map(str, found))
    assert len(found) == accepted, f"lower the baseline of {package} to {len(found)}"


def test_exceptions_are_few_used_and_explained() -> None:
    """Each exception has a reason and accepts a text that exists."""
    listed = exceptions()
    assert len(listed) <= MAX_EXCEPTIONS
    assert all(entry["reason"] for entry in listed)
    unused = Counter((entry["file"], entry["found"]) for entry in listed) - uses_of_exceptions()
    assert not unused


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the service tells its lag", "tells"),
        ("one event after the other, told once", "told"),
        ("the row is derived anew", "anew"),
        ("where there is none", "where there is none"),
        ("1,500 events a second", "1,500 events a second"),
    ],
)
def test_banned_word_is_found(text: str, found: str) -> None:
    """The list finds the dialect that it was made for."""
    matches = {match[0] for word in words() if word.where == "prose" for match in word.pattern.finditer(text)}
    assert found in matches


@pytest.mark.parametrize("text", ["a second replica", "the tolling bell", "outstanding payments", "go on Kafka"])
def test_plain_word_is_not_found(text: str) -> None:
    """Plain English that resembles a banned word passes."""
    assert not [word for word in words() if word.where == "prose" and word.pattern.search(text)]
