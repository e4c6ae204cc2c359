"""Members of a JSON object, read strictly: what is missing, unknown or of another kind is told by its place.

A place is given by its parts, such as `pauses`, 0, `from`: they are put together only where something is wrong.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, NoReturn

from motcua.due.errors import CaseError

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)


def parsed(text: str) -> object:
    """A JSON value in which no member stands twice. Raises CaseError."""
    try:
        given, end = _decode(text)
    except ValueError as error:
        raise CaseError("not-json", f"the line is no JSON object: {error}") from None
    except RecursionError:
        raise CaseError("not-json", "the line is nested too deeply: a case needs six levels") from None
    if end != len(text):
        raise CaseError("not-json", f"the line goes on after its JSON object, at character {end + 1}")
    return given


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose members have a name each: of two of one name nobody knows which is meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise CaseError("member-invalid", f"{twice!r} stands twice in one object: keep one")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


_decode = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_once).raw_decode


@dataclass(frozen=True)
class Members:
    """The names of an object's members, those that it must have and those that it may have."""

    required: frozenset[str]
    optional: frozenset[str]
    seen: set[tuple[str, ...]] = field(default_factory=set)
    """What was found good, in its order: cases come in few shapes, and looking one up costs least."""


def known(found: object, members: Members, *where: object) -> dict[str, Any]:
    """The object itself, if it has every required member and none but these. Without a place it is the case."""
    if type(found) is dict and (shape := tuple(found)) in members.seen:
        return found
    place = _at(where) or "the case"
    if not isinstance(found, dict):
        raise CaseError("member-invalid", f"{place} is an object, not {_shown(found)}")
    if not found.keys() >= members.required:
        missing = ", ".join(sorted(members.required - found.keys()))
        raise CaseError("member-missing", f"{place} lacks {missing}")
    if not found.keys() <= members.required | members.optional:
        unknown = ", ".join(sorted(found.keys() - members.required - members.optional))
        raise CaseError("member-unknown", f"{place} may not have {unknown}: mend the name, or remove it")
    members.seen.add(shape)
    return found


def items(found: object, *where: object) -> Sequence[Any]:
    """A list."""
    if not isinstance(found, list):
        raise CaseError("member-invalid", f"{_at(where)} is a list, not {_shown(found)}")
    return found


def text(found: object, *where: object) -> str:
    """A string."""
    if not isinstance(found, str):
        raise CaseError("member-invalid", f"{_at(where)} is a string, not {_shown(found)}")
    return found


def whole(found: object, *where: object) -> int:
    """A whole number; 5.0 and true are none."""
    if type(found) is not int:
        raise CaseError("member-invalid", f"{_at(where)} is a whole number, not {_shown(found)}")
    return found


def instant(found: object, *where: object) -> datetime:
    """A date and time with its offset, in UTC."""
    try:
        moment = datetime.fromisoformat(found)  # type: ignore[arg-type] # what is no string raises TypeError
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        example = "2017-11-06T07:00:00+07:00"
        raise CaseError("time-invalid", f"{_at(where)} is an instant such as {example}, not {_shown(found)}") from None
    raise CaseError("time-naive", f"{_at(where)} has no offset: {found} may be any instant of a day; add +07:00 or Z")


def day(found: object, *where: object) -> date:
    """A date, YYYY-MM-DD."""
    try:
        if isinstance(found, str) and _DATE.fullmatch(found):
            return date.fromisoformat(found)
    except ValueError:
        pass
    raise CaseError("time-invalid", f"{_at(where)} is a date such as 2017-11-06, not {_shown(found)}")


def clock_time(found: object, *where: object) -> time:
    """A local time of day, HH:MM or HH:MM:SS."""
    try:
        if isinstance(found, str) and _TIME.fullmatch(found):
            return time.fromisoformat(found)
    except ValueError:
        pass
    raise CaseError("time-invalid", f"{_at(where)} is a local time from 00:00 to 23:59:59, not {_shown(found)}")


def _at(where: tuple[object, ...]) -> str:
    return "/".join(str(part) for part in where)


def _shown(found: object) -> str:
    shown = "null" if found is None else repr(found)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
