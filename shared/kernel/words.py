"""Phrases that several messages share: counts with their noun, and suggestions for misspelt words."""

import difflib
from collections.abc import Iterable


def number_of(count: int, thing: str, things: str = "") -> str:
    """ "1 fault", "2 faults", "1,200 faults"; `things` is an irregular plural."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ " (did you mean X?)" if one of the known words is similar to `word`, otherwise an empty text."""
    similar = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {similar[0]}?)" if similar else ""
