"""Small turns of phrase that several texts share."""

import difflib
from collections.abc import Iterable


def number_of(count: int, thing: str, things: str = "") -> str:
    """ "1 fault", "2 faults", "1,200 faults"; `things` where the plural is not made with an s."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ " (did you mean X?)", to be set behind a word, where one of the known words is near it; else nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
