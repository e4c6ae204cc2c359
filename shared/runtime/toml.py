"""TOML that people write: read whole, or refused with the line, its words and the likely cause."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from typing import Any

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?![\d-])")
_SHOWN = 80  # characters of a line


@dataclass(eq=False)
class NotTomlError(ValueError):
    """A text is not TOML: why, on which line (None: of no one line), and that line's words."""

    why: str
    line: int | None = None
    words: str = ""

    def __str__(self) -> str:
        shown = self.words if len(self.words) <= _SHOWN else f"{self.words[:_SHOWN]}…"
        return f"not TOML: {self.why}: {shown}" if shown else f"not TOML: {self.why}"


def loads(text: str) -> dict[str, Any]:
    """The document. Raises NotTomlError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _explained(text, str(error)) from error
    except RecursionError as error:
        raise NotTomlError("nested too deeply") from error
    except ValueError as error:
        raise NotTomlError("a number has too many digits") from error


def _explained(text: str, said: str) -> NotTomlError:
    place = _PLACE.search(said)
    said = said[: place.start()] if place else said
    lines = text.splitlines()
    number = int(place[1]) if place and place[1] else _unclosed(lines)
    words = lines[number - 1].strip() if number <= len(lines) else ""
    return NotTomlError(_cause(said, words), number, words)


def _unclosed(lines: list[str]) -> int:
    """Of a document that ends too early: the last line that opens something."""
    opens = ('"""', "'''", "[", "'")
    return next((n for n in range(len(lines), 0, -1) if any(mark in lines[n - 1] for mark in opens)), len(lines))


def _cause(said: str, words: str) -> str:
    _, _, value = words.partition("=")
    for match in _DATE.finditer(value):
        if not _is_date(match):
            return f"there is no date {match[0]}, which must be YYYY-MM-DD"
    if said.startswith("Illegal character '\\n'") or said == 'Expected "\'"':
        return "a quote is opened and not closed on its line"
    if "Unterminated" in said or said.startswith(('Expected \'"""\'', "Expected \"'''\"")):
        return "three quotes are opened and never closed"
    if '"""' in words or "'''" in words:
        return "this line does not fit, perhaps since three quotes above it are not closed"
    if said == "Cannot overwrite a value" or said.startswith("Cannot declare"):
        return "this name stands above it already, keep one"
    if said.startswith("Expected '='"):
        return "a name without diacritics and spaces, =, and a value are expected"
    if said == "Invalid value":
        return "no value stands here that TOML knows: texts go in double quotes, true and false are written small"
    if said.startswith("Expected newline"):
        return "something follows the value: texts go in double quotes, dates are YYYY-MM-DD"
    if said.startswith("Unescaped '\\'"):
        return "a backslash in double quotes must be doubled"
    return f"{said[0].lower()}{said[1:]}"


def _is_date(match: re.Match[str]) -> bool:
    try:
        return date(*map(int, match.groups())).isoformat() == match[0]
    except ValueError:
        return False
