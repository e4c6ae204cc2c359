"""Parsers of the text of one cell, and functions that build such parsers.

A parser returns the value, or raises ValueError with a message that states the fault and what to write instead.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d\d:\d\d")
_YEARS = range(1990, 2200)


def text(cell: str) -> str:
    """Parse a text of one line, which must not be empty. Returns it unchanged."""
    if not cell:
        raise ValueError("A value is required.")
    if any(ord(character) < 32 for character in cell):
        raise ValueError(f"{cell!r} contains a line break or control character. Remove it.")
    return cell


def matching(pattern: str, expected: str) -> Callable[[str], str]:
    """Return a parser of a text that matches `pattern` completely. `expected` ends its message "Expected ..."."""
    compiled = re.compile(pattern, re.ASCII)

    def parse(cell: str) -> str:
        if not compiled.fullmatch(cell):
            raise ValueError(f"{cell!r} is not valid. Expected {expected}.")
        return cell

    return parse


def optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    """Return a parser that returns None for an empty cell, and otherwise calls `parse`."""
    return lambda cell: parse(cell) if cell else None


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Return a parser of different values separated by semicolons and optional spaces; each part is parsed by `parse`.

    It returns an empty tuple for an empty cell.
    """

    def parse_all(cell: str) -> tuple[T, ...]:
        values = tuple(parse(part.strip()) for part in cell.split(";")) if cell else ()
        if len(set(values)) != len(values):
            raise ValueError(f"{cell!r} contains a value twice. Remove one.")
        return values

    return parse_all


def choice(choices: Mapping[str, T]) -> Callable[[str], T]:
    """Return a parser that accepts only the keys of `choices`, and returns the value of the key."""

    def parse(cell: str) -> T:
        if cell not in choices:
            raise ValueError(f"{cell!r} is not one of {', '.join(choices)}.")
        return choices[cell]

    return parse


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of a whole number from `least` to `most`, both included."""

    def parse(cell: str) -> int:
        if not re.fullmatch(r"\d{1,12}", cell, re.ASCII) or not least <= int(cell) <= most:
            raise ValueError(f"{cell!r} is not a whole number from {least} to {most}.")
        return int(cell)

    return parse


def calendar_date(cell: str) -> date:
    """Parse a date, YYYY-MM-DD, from 1990 to 2199."""
    try:
        value = date.fromisoformat(cell) if _DATE.fullmatch(cell) else None
    except ValueError:
        value = None
    if value is None or value.year not in _YEARS:
        raise ValueError(f"{cell!r} is not a date. Write YYYY-MM-DD, {_YEARS.start} to {_YEARS.stop - 1}.")
    return value


def clock_time(cell: str) -> time:
    """Parse a time of day, HH:MM."""
    try:
        if _TIME.fullmatch(cell):
            return time.fromisoformat(cell)
    except ValueError:
        pass
    raise ValueError(f"{cell!r} is not a time of day. Write HH:MM.")


def zone(cell: str) -> ZoneInfo:
    """Parse a time zone, given by its IANA name."""
    try:
        return ZoneInfo(cell)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{cell!r} is not a time zone. Write an IANA name such as Asia/Ho_Chi_Minh.") from None
