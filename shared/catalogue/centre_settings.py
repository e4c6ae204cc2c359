"""Reading of centre.toml: data of the centre, its dated thresholds and the dated rules of its general counter."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Any, TypeVar, cast, get_args
from zoneinfo import ZoneInfo

from shared.catalogue import cells
from shared.catalogue.faults import Faults
from shared.catalogue.files import CentreFiles
from shared.kernel.centre import PoolingRule, Thresholds
from shared.kernel.vocabulary import Channel
from shared.kernel.words import did_you_mean
from shared.runtime import toml

FILE = "centre.toml"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreSettings:
    """The content of centre.toml. `thresholds` and `pooling_rules` are pairs: the line of a section, and its value."""

    code: str
    name_vi: str
    name_en: str
    zone: ZoneInfo
    agency_prefix: str
    opened_on: date
    address_vi: str
    hotline: str
    email: str
    sms_brand: str
    invented: tuple[str, ...]
    thresholds: tuple[tuple[int, Thresholds], ...]
    pooling_rules: tuple[tuple[int, PoolingRule], ...]


def read_settings(files: CentreFiles, faults: Faults) -> CentreSettings | None:
    """Return the content of centre.toml; None, after adding every fault, if any of it is invalid."""
    text = files.text(FILE, faults)
    if text is None:
        return None
    try:
        document = toml.parse(text)
    except toml.NotTomlError as error:
        faults.add(FILE, str(error), line=error.line)
        return None
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines, 1) if re.match(r"\s*\[", line)]
    section = _Section(document, text, 1, starts[0] - 1 if starts else None, faults)
    thresholds = _sections(document, "thresholds", text, faults, _thresholds)
    if thresholds == []:
        faults.add(FILE, "Add at least one section [[thresholds]].", column="thresholds")
    rules: list[tuple[int, PoolingRule]] | None = []
    if "general_counter" in document:  # optional
        rules = _sections(document, "general_counter", text, faults, _pooling_rule)
    settings = CentreSettings(
        code=section.read("code", _text(cells.matching(r"[a-z0-9-]{1,40}", "small letters, digits and -"))),
        name_vi=section.read("name_vi", _text(cells.text)),
        name_en=section.read("name_en", _text(cells.text)),
        zone=section.read("zone", _text(cells.zone)),
        agency_prefix=section.read(
            "agency_prefix", _text(cells.matching(r"[A-Z]\d{2}", "the code of a province, such as H10"))
        ),
        opened_on=section.read("opened_on", _day),
        address_vi=section.read("address_vi", _text(cells.text)),
        hotline=section.read("hotline", _text(cells.matching(r"[0-9+ .()-]{3,20}", "a telephone number"))),
        email=section.read("email", _text(cells.matching(r"[^@\s]+@[^@\s]+", "an e-mail address"))),
        sms_brand=section.read("sms_brand", _text(cells.matching(r"[ -~]{1,11}", "at most 11 ASCII characters"))),
        invented=section.read("invented", _names(document)),
        thresholds=tuple(thresholds or ()),
        pooling_rules=tuple(rules or ()),
    )
    section.reject_unknown(also=("thresholds", "general_counter"))
    return settings if section.valid and thresholds and rules is not None else None


def _sections(
    document: Mapping[str, Any], name: str, text: str, faults: Faults, read: Callable[["_Section"], T | None]
) -> list[tuple[int, T]] | None:
    """Return each section [[name]], read by `read`, with its line; None, after adding faults, if any is invalid."""
    blocks = document.get(name, [])
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        faults.add(FILE, f"Write it as a section [[{name}]].", column=name)
        return None
    lines = text.splitlines()
    heads = [number for number, line in enumerate(lines, 1) if re.match(r"\s*\[", line)]
    starts = [number for number in heads if re.match(rf"\s*\[\[\s*{name}\s*\]\]", lines[number - 1])]
    if len(starts) != len(blocks):  # written in another form, so the lines are unknown
        starts = [1] * len(blocks)
    found = []
    for start, block in zip(starts, blocks, strict=True):
        end = next((number - 1 for number in heads if number > start), None)
        value = read(_Section(block, text, start, end, faults))
        if value is not None:
            found.append((start, value))
    return found if len(found) == len(blocks) else None


def _dated(section: "_Section") -> dict[str, Any]:
    valid_from = section.read("valid_from", _day)
    valid_to = section.read("valid_to", _day) if "valid_to" in section.values else None
    if section.valid and valid_to is not None and valid_to < valid_from:
        section.fault("It is before valid_from. It is the last day in force.", "valid_to")
    return {
        "valid_from": valid_from,
        "valid_to": valid_to,
        "decision": section.read("decision", _text(cells.text)),
        "invented": section.read("invented", _names(section.values)),
    }


def _thresholds(section: "_Section") -> Thresholds | None:
    value = Thresholds(
        **_dated(section),
        max_backdate_working_days=section.read("max_backdate_working_days", _whole(0, 250)),
        near_working_hours=section.read("near_working_hours", _whole(1, 2000)),
        short_term_working_hours=section.read("short_term_working_hours", _whole(0, 2000)),
        escalation_working_hours=section.read("escalation_working_hours", _ascending),
        pause_ceiling_working_days=section.read("pause_ceiling_working_days", _whole(1, 2000)),
        max_extensions=section.read("max_extensions", _whole(0, 100)),
    )
    section.reject_unknown()
    return value if section.valid else None


def _pooling_rule(section: "_Section") -> PoolingRule | None:
    values = {
        **_dated(section),
        "channels": section.read("channels", _channels),
        "full_week_days": section.read("full_week_days", _whole(1, 7)),
        "least_working_days": section.read("least_working_days", _whole(1, 7)),
        "pool_below": section.read("pool_below", _whole(1, 100_000)),
        "pool_weeks": section.read("pool_weeks", _whole(1, 52)),
        "release_from": section.read("release_from", _whole(1, 100_000)),
        "release_weeks": section.read("release_weeks", _whole(1, 52)),
        "min_stay_weeks": section.read("min_stay_weeks", _whole(0, 520)),
    }
    section.reject_unknown()
    if not section.valid:
        return None
    try:
        return PoolingRule(**values)
    except ValueError as error:
        section.fault(f"{error}.", "release_from")
        return None


@dataclass(slots=True)
class _Section:
    """One table of centre.toml with the lines that it spans, so that each fault gets a line."""

    values: Mapping[str, Any]
    text: str
    first_line: int
    last_line: int | None
    faults: Faults
    valid: bool = True
    read_keys: set[str] = field(default_factory=set)

    def read(self, key: str, parse: Callable[[Any], T]) -> T:
        self.read_keys.add(key)
        if key not in self.values:
            self.fault("The key is missing, and it has no default. Add it.", key)
            return cast(T, None)
        try:
            return parse(self.values[key])
        except ValueError as error:
            self.fault(str(error), key)
            return cast(T, None)

    def reject_unknown(self, also: tuple[str, ...] = ("valid_to",)) -> None:
        for key in self.values:
            if key not in self.read_keys and key not in also:
                hint = did_you_mean(key, self.read_keys - self.values.keys())
                self.fault(f"Unknown key{hint}. Remove it, or correct its name.", key)

    def fault(self, reason: str, key: str) -> None:
        self.valid = False
        lines = self.text.splitlines()[self.first_line - 1 : self.last_line]
        at = next(
            (n for n, line in enumerate(lines, self.first_line) if re.match(rf"\s*{re.escape(key)}\s*=", line)), 0
        )
        self.faults.add(FILE, reason, line=at or self.first_line, column=key)


def _text(parse: Callable[[str], T]) -> Callable[[Any], T]:
    def parse_text(value: Any) -> T:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is not a text. Write it in double quotes.")
        return parse(value)

    return parse_text


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"{value!r} is not a whole number from {least} to {most}.")
        return value

    return parse


def _day(value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"{value!r} is not a date. Write YYYY-MM-DD without quotes.")
    return cells.calendar_date(value.isoformat())


def _ascending(value: Any) -> tuple[int, ...]:
    parse = _whole(1, 10_000)
    hours = tuple(parse(item) for item in value) if isinstance(value, list) else None
    if hours is None or any(later <= earlier for earlier, later in pairwise(hours)):
        raise ValueError(f"{value!r} is not a list of ascending whole numbers.")
    return hours


def _channels(value: Any) -> tuple[str, ...]:
    known = get_args(Channel)
    if not isinstance(value, list) or not value or any(item not in known for item in value):
        raise ValueError(f"{value!r} is not a list of channels. They are {', '.join(known)}.")
    return tuple(value)


def _names(values: Mapping[str, Any]) -> Callable[[Any], tuple[str, ...]]:
    def parse(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ValueError(f"{value!r} is not a list of keys. Write [] if nothing is invented.")
        unknown = [name for name in value if name not in values]
        if unknown:
            raise ValueError(f"This section has no key {', '.join(map(str, unknown))}.")
        return tuple(value)

    return parse
