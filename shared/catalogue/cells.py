"""Parsers for one cell each: a value, or a ValueError whose text says what is wrong and what is expected."""

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
    """Something, on one line."""
    if not cell:
        raise ValueError("empty: a value is needed")
    if any(ord(character) < 32 for character in cell):
        raise ValueError(f"{cell!r} holds a line break or control character: remove it")
    return cell


def matching(pattern: str, expected: str) -> Callable[[str], str]:
    """Text of one shape; `expected` finishes the sentence "expected is ..."."""
    compiled = re.compile(pattern, re.ASCII)

    def parse(cell: str) -> str:
        if not compiled.fullmatch(cell):
            raise ValueError(f"{cell!r} does not fit: expected is {expected}")
        return cell

    return parse


def optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    """None for an empty cell."""
    return lambda cell: parse(cell) if cell else None


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Values with a semicolon (and a space, if you like) between them; none for an empty cell."""

    def parse_all(cell: str) -> tuple[T, ...]:
        values = tuple(parse(part.strip()) for part in cell.split(";")) if cell else ()
        if len(set(values)) != len(values):
            raise ValueError(f"{cell!r} names something twice: keep one")
        return values

    return parse_all


def choice(choices: Mapping[str, T]) -> Callable[[str], T]:
    """One of the words, as its value."""

    def parse(cell: str) -> T:
        if cell not in choices:
            raise ValueError(f"{cell!r} is not one of {', '.join(choices)}")
        return choices[cell]

    return parse


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds, both included."""

    def parse(cell: str) -> int:
        if not re.fullmatch(r"\d{1,12}", cell, re.ASCII) or not least <= int(cell) <= most:
            raise ValueError(f"{cell!r} is not a whole number from {least} to {most}")
        return int(cell)

    return parse


def day(cell: str) -> date:
    """A date, YYYY-MM-DD."""
    try:
        value = date.fromisoformat(cell) if _DATE.fullmatch(cell) else None
    except ValueError:
        value = None
    if value is None or value.year not in _YEARS:
        raise ValueError(f"{cell!r} is not a date: expected is YYYY-MM-DD, {_YEARS.start} to {_YEARS.stop - 1}")
    return value


def clock_time(cell: str) -> time:
    """A time of day, HH:MM."""
    try:
        if _TIME.fullmatch(cell):
            return time.fromisoformat(cell)
    except ValueError:
        pass
    raise ValueError(f"{cell!r} is not a time of day: expected is HH:MM")


def zone(cell: str) -> ZoneInfo:
    """A time zone by its IANA name."""
    try:
        return ZoneInfo(cell)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{cell!r} is not a time zone: expected is an IANA name such as Asia/Ho_Chi_Minh") from None
