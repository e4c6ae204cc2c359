"""Plain texts for validation errors of pydantic: what to write, never the rejected value."""

from collections.abc import Mapping
from typing import Any

from shared.kernel.words import number_of

_PLAIN = {
    "missing": "missing: add it",
    "extra_forbidden": "unknown: remove it, or correct its name",
    "timezone_aware": "the offset from UTC is missing: add one, such as +07:00 or Z",
    "string_type": "write a text",
    "uuid_type": "write a UUID, such as 0190b6d4-5a7c-7cc1-8d2e-3f6a9b1c2d3e",
    "uuid_parsing": "write a UUID, such as 0190b6d4-5a7c-7cc1-8d2e-3f6a9b1c2d3e",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_parsing_size": "write a smaller whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "finite_number": "write a finite number",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "list_type": "write a list",
    "tuple_type": "write a list",
    "dict_type": "write an object",
    "model_type": "write an object",
    "model_attributes_type": "write an object",
    "datetime_type": "write an instant, such as 2026-11-23T08:00:00+07:00",
    "datetime_parsing": "write an instant, such as 2026-11-23T08:00:00+07:00",
    "datetime_from_date_parsing": "write an instant, such as 2026-11-23T08:00:00+07:00",
    "datetime_object_invalid": "write an instant, such as 2026-11-23T08:00:00+07:00",
    "date_type": "write a date as YYYY-MM-DD",
    "date_parsing": "write a date as YYYY-MM-DD",
    "date_from_datetime_parsing": "write a date as YYYY-MM-DD",
    "date_from_datetime_inexact": "write a date as YYYY-MM-DD, without a time",
    "time_type": "write a time of day as HH:MM",
    "time_parsing": "write a time of day as HH:MM",
    "json_invalid": "not JSON",
}
_BOUNDS = {
    "greater_than": "write a number above {gt}",
    "greater_than_equal": "write a number of at least {ge}",
    "less_than": "write a number below {lt}",
    "less_than_equal": "write a number of at most {le}",
    "literal_error": "write one of {expected}",
    "enum": "write one of {expected}",
}
_LENGTHS = {
    "too_short": (False, "entry", "entries"),
    "too_long": (True, "entry", "entries"),
    "string_too_short": (False, "character", ""),
    "string_too_long": (True, "character", ""),
}
_LETTERS = "letters without diacritics, digits, . _ and - only"
_PATTERNS = {
    r"^[A-Za-z0-9._-]+$": f"write {_LETTERS}",
    r"^[A-Za-z0-9._-]{1,64}$": f"write 1 to 64 {_LETTERS}",
    r"^[A-Za-z0-9._-]{1,100}$": f"write 1 to 100 {_LETTERS}",
    "^postgres(ql)?://": "write a URL that begins with postgresql://",
    r"^\+[1-9][0-9]{6,14}$": "write a phone number with + and the country code, such as +84901234567",
    "^[!-~]{1,200}$": "write 1 to 200 visible ASCII characters",
    "^[0-9a-f]{64}$": "write 64 hexadecimal digits in small letters",
    r"^[^\x00-\x1f]+$": "write a text without line breaks and control characters",
    "^[a-z]+/[A-Za-z0-9.+-]+$": "write a media type, such as application/pdf",
}


def describe_error(fault: Mapping[str, Any]) -> str:
    """Return what is wrong or what to write instead, for one entry `fault` of pydantic's `errors()`.

    The text does not name the field. For a kind of error without a text here, it is pydantic's own message.
    """
    kind, context = fault["type"], fault.get("ctx", {})
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    if kind == "value_error":
        return str(context["error"])
    if kind in _LENGTHS:
        is_maximum, thing, things = _LENGTHS[kind]
        count = context["max_length" if is_maximum else "min_length"]
        return f"write at {'most' if is_maximum else 'least'} {number_of(count, thing, things)}"
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], f"write a text that matches {context['pattern']}")
    return str(fault["msg"])
