"""Parse TOML files that people write; errors name the line, its text and the likely cause."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from typing import Any

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?![\d-])")
_MAX_SHOWN = 80  # characters of a line


@dataclass(eq=False)
class NotTomlError(ValueError):
    """A text is not TOML: why, on which line (None if no single line is at fault), and the text of that line."""

    why: str
    line: int | None = None
    text: str = ""

    def __str__(self) -> str:
        shown = self.text if len(self.text) <= _MAX_SHOWN else f"{self.text[:_MAX_SHOWN]}…"
        return f"not TOML: {self.why}: {shown}" if shown else f"not TOML: {self.why}"


def parse(text: str) -> dict[str, Any]:
    """Parse a TOML document and return it as a dict. Raises NotTomlError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _explain(text, str(error)) from error
    except RecursionError as error:
        raise NotTomlError("nested too deeply") from error
    except ValueError as error:
        raise NotTomlError("a number has too many digits") from error


def _explain(text: str, message: str) -> NotTomlError:
    place = _PLACE.search(message)
    message = message[: place.start()] if place else message
    lines = text.splitlines()
    number = int(place[1]) if place and place[1] else _last_opening(lines)
    line = lines[number - 1].strip() if number <= len(lines) else ""
    return NotTomlError(_cause(message, line), number, line)


def _last_opening(lines: list[str]) -> int:
    """The number, from 1, of the last line with a bracket or quotes that may open something unclosed.

    The number of the last line of all if there is no such line.
    """
    opens = ('"""', "'''", "[", "'")
    return next((n for n in range(len(lines), 0, -1) if any(mark in lines[n - 1] for mark in opens)), len(lines))


def _cause(message: str, line: str) -> str:
    _, _, value = line.partition("=")
    for match in _DATE.finditer(value):
        if not _is_date(match):
            return f"{match[0]} is not a date; write YYYY-MM-DD"
    if message.startswith("Illegal character '\\n'") or message == 'Expected "\'"':
        return "a quote is not closed on its line"
    if "Unterminated" in message or message.startswith(('Expected \'"""\'', "Expected \"'''\"")):
        return "three quotes are never closed"
    if '"""' in line or "'''" in line:
        return "invalid line; perhaps three quotes above it are not closed"
    if message == "Cannot overwrite a value" or message.startswith("Cannot declare"):
        return "the name is already defined above; remove one"
    if message.startswith("Expected '='"):
        return "write a name without diacritics and spaces, then = and a value"
    if message == "Invalid value":
        return "invalid value; write texts in double quotes, and true or false in small letters"
    if message.startswith("Expected newline"):
        return "unexpected text after the value; write texts in double quotes, and dates as YYYY-MM-DD"
    if message.startswith("Unescaped '\\'"):
        return "write each backslash in double quotes twice"
    return f"{message[0].lower()}{message[1:]}"


def _is_date(match: re.Match[str]) -> bool:
    try:
        return date(*map(int, match.groups())).isoformat() == match[0]
    except ValueError:
        return False
