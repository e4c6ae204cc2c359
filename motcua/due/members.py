"""Strict reading of JSON objects: a missing, unknown or invalid member is an error that names its place in the case.

The place in the case is passed as its parts (`*where`), such as `pauses`, 0, `from`, and joined only for an error.
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


def parse(text: str) -> object:
    """Parse JSON. Raises CaseError for invalid JSON, text after the value, and a member name that occurs twice."""
    try:
        raw, end = _decode(text)
    except ValueError as error:
        raise CaseError("not-json", f"The line is not a JSON object: {error}.") from None
    except RecursionError:
        raise CaseError("not-json", "The line is nested too deeply. A case needs six levels.") from None
    if end != len(text):
        raise CaseError("not-json", f"The line has more text after its JSON object, at character {end + 1}.")
    return raw


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the members of a JSON object as a dict. Raises CaseError for a name that occurs twice, as ambiguous."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        duplicate = next(name for name in names if names.count(name) > 1)
        raise CaseError("member-invalid", f"{duplicate!r} occurs twice in one object. Remove one of them.")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not valid JSON")


_decode = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_unique).raw_decode


@dataclass(frozen=True)
class Members:
    """The names of the required and the optional members of a JSON object."""

    required: frozenset[str]
    optional: frozenset[str]
    seen: set[tuple[str, ...]] = field(default_factory=set)
    """Valid sequences of member names. Cases have few shapes, so a look-up is faster than a check."""


def require(found: object, members: Members, *where: object) -> dict[str, Any]:
    """Return `found` itself. Raises CaseError unless it is an object with all required and no unknown members.

    Without `where`, the error calls it "The case".
    """
    if type(found) is dict and (shape := tuple(found)) in members.seen:
        return found
    place = _at(where) or "The case"
    if not isinstance(found, dict):
        raise CaseError("member-invalid", f"{place} must be an object, not {_shown(found)}.")
    if not found.keys() >= members.required:
        missing = ", ".join(sorted(members.required - found.keys()))
        raise CaseError("member-missing", f"{place} lacks {missing}.")
    if not found.keys() <= members.required | members.optional:
        unknown = ", ".join(sorted(found.keys() - members.required - members.optional))
        raise CaseError("member-unknown", f"{place} has the unknown member {unknown}. Correct the name, or remove it.")
    members.seen.add(shape)
    return found


def items(found: object, *where: object) -> Sequence[Any]:
    """Return `found` itself. Raises CaseError unless it is a list."""
    if not isinstance(found, list):
        raise CaseError("member-invalid", f"{_at(where)} must be a list, not {_shown(found)}.")
    return found


def text(found: object, *where: object) -> str:
    """Return `found` itself. Raises CaseError unless it is a string."""
    if not isinstance(found, str):
        raise CaseError("member-invalid", f"{_at(where)} must be a string, not {_shown(found)}.")
    return found


def whole_number(found: object, *where: object) -> int:
    """Return `found` itself. Raises CaseError unless it is a whole number; 5.0 and true are not."""
    if type(found) is not int:
        raise CaseError("member-invalid", f"{_at(where)} must be a whole number, not {_shown(found)}.")
    return found


def instant(found: object, *where: object) -> datetime:
    """Parse an ISO 8601 instant, and convert it to UTC. Raises CaseError if it is invalid or has no offset."""
    try:
        moment = datetime.fromisoformat(found)  # type: ignore[arg-type] # raises TypeError if it is not a string
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        example = "2017-11-06T07:00:00+07:00"
        raise CaseError(
            "time-invalid", f"{_at(where)} must be an instant such as {example}, not {_shown(found)}."
        ) from None
    raise CaseError("time-naive", f"{_at(where)} has no offset: {found} is ambiguous. Add +07:00 or Z.")


def day(found: object, *where: object) -> date:
    """Parse a date, YYYY-MM-DD. Raises CaseError for any other form or value."""
    try:
        if isinstance(found, str) and _DATE.fullmatch(found):
            return date.fromisoformat(found)
    except ValueError:
        pass
    raise CaseError("time-invalid", f"{_at(where)} must be a date such as 2017-11-06, not {_shown(found)}.")


def clock_time(found: object, *where: object) -> time:
    """Parse a time of day without an offset, HH:MM or HH:MM:SS. Raises CaseError for any other form or value."""
    try:
        if isinstance(found, str) and _TIME.fullmatch(found):
            return time.fromisoformat(found)
    except ValueError:
        pass
    raise CaseError("time-invalid", f"{_at(where)} must be a local time from 00:00 to 23:59:59, not {_shown(found)}.")


def _at(where: tuple[object, ...]) -> str:
    return "/".join(str(part) for part in where)


def _shown(found: object) -> str:
    shown = "null" if found is None else repr(found)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
