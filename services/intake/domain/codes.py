"""Dossier codes and form numbers (Circular 01/2018, article 19; agency ids by Decision 20/2020)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from shared.kernel.errors import ExpectedError, FieldError, Refusal

CODE = "01"
"""The serials of dossier codes stand under the receipt's form: form 01 carries the code as its number."""

BATCH = "BG"
"""Batches of papers (bàn giao) count under this word, by counter in the agency's place."""

_CODE = re.compile(r"([A-Z0-9]{1,6}(?:\.[A-Z0-9]{1,6}){0,7})-([0-9]{6})-([0-9]{4,7})", re.ASCII)
_PROVINCE_OR_MINISTRY = re.compile(r"[A-Z][0-9]{2}", re.ASCII)


class SerialKey(NamedTuple):
    """What a serial counts: one agency's forms of one kind on one local date. Sorts in lock order."""

    agency: str
    day: date
    form: str


class Serials:
    """The serials drawn in one transaction, on top of the last ones used before it.

    The rows behind them stay locked until the commit: a serial whose act fails was never drawn, and none is drawn
    twice.
    """

    def __init__(self, last: Mapping[SerialKey, int]) -> None:
        self._last = dict(last)
        self.drawn: dict[SerialKey, int] = {}

    def draw(self, key: SerialKey) -> int:
        """The next serial; raises KeyError for a key whose row this transaction does not hold."""
        serial = self._last[key] + 1
        self._last[key] = self.drawn[key] = serial
        return serial


def dossier_code(agency: str, day: date, serial: int) -> str:
    """`<agency id>-<yyMMdd>-<serial>`; `day` is the local date of receipt, the serial grows beyond four digits."""
    return f"{agency}-{day:%y%m%d}-{serial:04d}"


def form_number(key: SerialKey, serial: int) -> str:
    """The number of a form; the receipt's is the dossier code itself."""
    if key.form == CODE:
        return dossier_code(key.agency, key.day, serial)
    return f"{key.agency}-{key.day:%y%m%d}-F{key.form}-{serial:04d}"


def batch_key(counter: int, day: date) -> SerialKey:
    """What the batches of one counter count under on one local date."""
    return SerialKey(str(counter), day, BATCH)


def batch_number(key: SerialKey, serial: int) -> str:
    """`BG-<yyMMdd>-<counter>-<serial>`, such as BG-170502-41-003; the serial grows beyond three digits."""
    return f"{key.form}-{key.day:%y%m%d}-{key.agency}-{serial:03d}"


@dataclass(frozen=True, slots=True)
class ParsedCode:
    """A code read from any system: `agency` from the largest unit down, without the empty units (`00`, `000`)."""

    agency: str
    day: date
    serial: str

    def __str__(self) -> str:
        return f"{self.agency}-{self.day:%y%m%d}-{self.serial}"


def parse_code(text: str) -> ParsedCode:
    """Reads our codes and other systems': either order of the unit parts (`H10.18`, `000.00.18.H10`), 4–7 digits.

    The serial keeps its digits, since two systems may tell dossiers apart by leading zeros alone.
    Raises Refusal (422) for text that is no code.
    """
    match = _CODE.fullmatch(text.strip().upper())
    if match is None:
        raise _no_code(text)
    units, day, serial = match.groups()
    parts = units.split(".")
    if _PROVINCE_OR_MINISTRY.fullmatch(parts[-1]) and not _PROVINCE_OR_MINISTRY.fullmatch(parts[0]):
        parts.reverse()
    while len(parts) > 1 and not parts[-1].strip("0"):
        parts.pop()
    try:
        local = date(2000 + int(day[:2]), int(day[2:4]), int(day[4:]))
    except ValueError as error:
        raise _no_code(text) from error
    return ParsedCode(".".join(parts), local, serial)


def _no_code(text: str) -> Refusal:
    detail = f"{text[:60]!r} is not a dossier code such as H10.18-170428-0001"
    return ExpectedError("not-a-code", detail, status=422, errors=[FieldError("/dossier/code", detail)])
