"""Phrases that several messages share: a count with its noun, and a suggestion for a misspelt word."""

import difflib
from collections.abc import Iterable


def number_of(count: int, thing: str, things: str = "") -> str:
    """Return a count with its noun: "1 fault", "2 faults", "1,200 faults". `things` is an irregular plural."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean X?)" with the most similar of `known`, or an empty text if no known word is similar."""
    similar = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {similar[0]}?)" if similar else ""
