"""Dossier codes, form numbers and batch numbers (Circular 01/2018, article 19; agency ids by Decision 20/2020)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from services.intake.domain.errors import InvalidCodeError

CODE_FORM = "01"
"""Serials of dossier codes count under form 01, the receipt, whose number is the code."""

BATCH_FORM = "BG"
"""Serials of hand-over batches (bàn giao) count under this word, with the counter in place of the agency."""

_CODE = re.compile(r"([A-Z0-9]{1,6}(?:\.[A-Z0-9]{1,6}){0,7})-([0-9]{6})-([0-9]{4,7})", re.ASCII)
_PROVINCE_OR_MINISTRY = re.compile(r"[A-Z][0-9]{2}", re.ASCII)
_SHOWN = 60
"""How many characters of an invalid code an error repeats."""


class SerialKey(NamedTuple):
    """Names one sequence of serials: those of one agency's forms of one kind on one local date.

    For hand-over batches, `agency` is the counter's number. Rows of serials are locked in the order of their keys.
    """

    agency: str
    day: date
    form: str


class Serials:
    """Counts, in memory, the serials that one transaction uses after the last ones used before it.

    The transaction has locked the rows of its keys in the database until it commits. So a failed act uses no serial,
    and no serial is used twice.
    """

    def __init__(self, last: Mapping[SerialKey, int]) -> None:
        self._last = dict(last)
        self.drawn: dict[SerialKey, int] = {}

    def draw(self, key: SerialKey) -> int:
        """Use the next serial of `key` and return it.

        Raises KeyError for a key whose row this transaction did not lock.
        """
        serial = self._last[key] + 1
        self._last[key] = self.drawn[key] = serial
        return serial


def dossier_code(agency: str, day: date, serial: int) -> str:
    """Return the dossier code `<agency id>-<yyMMdd>-<serial>`.

    `day` is the local date of receipt. A serial of fewer than four digits gets leading zeros.
    """
    return f"{agency}-{day:%y%m%d}-{serial:04d}"


def form_number(key: SerialKey, serial: int) -> str:
    """Return the number of a form, `<agency id>-<yyMMdd>-F<form>-<serial>`.

    The number of form 01, the receipt, is the dossier code.
    """
    if key.form == CODE_FORM:
        return dossier_code(key.agency, key.day, serial)
    return f"{key.agency}-{key.day:%y%m%d}-F{key.form}-{serial:04d}"


def batch_key(counter: int, day: date) -> SerialKey:
    """Return the key of the serials of one counter's hand-over batches on one local date."""
    return SerialKey(str(counter), day, BATCH_FORM)


def batch_number(key: SerialKey, serial: int) -> str:
    """Return a hand-over batch's number `BG-<yyMMdd>-<counter>-<serial>`, such as BG-170502-41-003.

    A serial of fewer than three digits gets leading zeros.
    """
    return f"{key.form}-{key.day:%y%m%d}-{key.agency}-{serial:03d}"


@dataclass(frozen=True, slots=True)
class ParsedCode:
    """A dossier code of this or another system, in parts; str() joins them in one form for all systems.

    `agency` starts with the largest unit and does not end with empty units (`00`, `000`).
    """

    agency: str
    day: date
    serial: str

    def __str__(self) -> str:
        return f"{self.agency}-{self.day:%y%m%d}-{self.serial}"


def parse_code(text: str) -> ParsedCode:
    """Parse a dossier code of this or another system. Raises InvalidCodeError.

    The agency's units may be in either order (`H10.18`, `000.00.18.H10`), and the serial has 4 to 7 digits. The serial
    keeps its leading zeros, since two codes may differ in nothing else.
    """
    match = _CODE.fullmatch(text.strip().upper())
    if match is None:
        raise _invalid(text)
    units, day, serial = match.groups()
    parts = units.split(".")
    if _PROVINCE_OR_MINISTRY.fullmatch(parts[-1]) and not _PROVINCE_OR_MINISTRY.fullmatch(parts[0]):
        parts.reverse()
    while len(parts) > 1 and not parts[-1].strip("0"):
        parts.pop()
    try:
        local = date(2000 + int(day[:2]), int(day[2:4]), int(day[4:]))
    except ValueError as error:
        raise _invalid(text) from error
    return ParsedCode(".".join(parts), local, serial)


def _invalid(text: str) -> InvalidCodeError:
    return InvalidCodeError(text=text[:_SHOWN], pointer="/dossier/code")


@dataclass(frozen=True, slots=True)
class Reference:
    """How a request names a dossier: by id, code or foreign code, in a form that can be compared.

    `value` has a code in the form of ParsedCode, a foreign code in the form `<system>/<code>`.
    """

    kind: Literal["id", "code", "foreign"]
    value: str
