"""Conversion of many instants from and to ISO 8601 texts: vectorised for the standard form, else one by one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from motcua.due import members
from motcua.due.errors import CaseError
from services.sla.domain.calendar import Calendar
from services.sla.vectorized import EPOCH, MICROSECOND, CalendarArrays, Instants

UNREADABLE = int(np.iinfo(np.int64).min)
"""Marks a text that is not an instant, or one with a fraction of a second."""
_STANDARD = "2017-11-06T07:00:00+07:00"
_DIGITS = np.array([place for place, sign in enumerate(_STANDARD) if sign.isdigit()])
_SIGNS = np.array([place for place, sign in enumerate(_STANDARD) if not sign.isdigit() and sign != "+"])
_SIGN = _STANDARD.index("+")
_ROW = np.frombuffer(_STANDARD.encode(), dtype=np.uint8)
_SECOND = timedelta(seconds=1) // MICROSECOND
_EARLIEST, _LATEST = ((datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND // _SECOND for year in (2, 9999))
_MINUTES = np.array([f"{minute // 60:02}:{minute % 60:02}:" for minute in range(24 * 60)], dtype=object)
_SECONDS = np.array([f"{second:02}" for second in range(60)], dtype=object)


def parse_instants(texts: Sequence[str]) -> Instants:
    """Parse ISO 8601 texts with an offset to instants in microseconds, with the results of `members.instant`.

    UNREADABLE is returned for a text that is invalid, has a fraction of a second, or is before year 2 or after 9998.
    """
    if not texts:
        return np.empty(0, dtype=np.int64)
    standard_form, others = texts, []
    if set(map(len, texts)) - {len(_STANDARD)} or not "".join(texts).isascii():
        others = [place for place, text in enumerate(texts) if len(text) != len(_STANDARD) or not text.isascii()]
        standard_form = list(texts)
        for place in others:
            standard_form[place] = _STANDARD
    signs = np.frombuffer("".join(standard_form).encode(), dtype=np.uint8).reshape(-1, len(_STANDARD))
    try:
        found, is_standard = _parse_standard(signs)
    except ValueError:  # a date that does not exist, such as 30 February
        return np.array([_parse_one(text) for text in texts], dtype=np.int64)
    for place in (*others, *np.flatnonzero(~is_standard)):
        found[place] = _parse_one(texts[place])
    return found


def _parse_standard(signs: NDArray[np.uint8]) -> tuple[Instants, NDArray[np.bool_]]:
    """Parse texts of the standard form, given as one row of ASCII codes each.

    Return the instants, and whether each text has the standard form; if not, its instant is undefined. Raises
    ValueError for a date that does not exist, such as 30 February.
    """
    digits = signs[:, _DIGITS] - ord("0")
    hour, minute = (10 * digits[:, place] + digits[:, place + 1] for place in (14, 16))
    west = signs[:, _SIGN] == ord("-")
    is_standard = (digits <= 9).all(axis=1) & (signs[:, _SIGNS] == _ROW[_SIGNS]).all(axis=1)
    is_standard &= (west | (signs[:, _SIGN] == ord("+"))) & (hour <= 23) & (minute <= 59)
    local = np.ascontiguousarray(np.where(is_standard[:, np.newaxis], signs, _ROW)[:, :_SIGN]).view(f"S{_SIGN}")[:, 0]
    second = local.astype("datetime64[s]").astype(np.int64)
    is_standard &= (second >= _EARLIEST) & (second < _LATEST)
    offset = 3600 * hour.astype(np.int64) + 60 * minute.astype(np.int64)
    return (second - np.where(west, -offset, offset)) * _SECOND, is_standard


def _parse_one(text: str) -> int:
    try:
        moment = members.instant(text)
    except CaseError:
        return UNREADABLE
    at = (moment - EPOCH) // MICROSECOND
    return UNREADABLE if at % _SECOND or not _EARLIEST <= at // _SECOND < _LATEST else at


class LocalTexts:
    """Formatter of instants as ISO 8601 texts in a calendar's zone, vectorised. Call it with the instants."""

    def __init__(self, calendar: Calendar, columns: CalendarArrays) -> None:
        worktime = calendar.worktime
        self._columns = columns
        self._dates = _dates(worktime.first_date, worktime.last_date)
        # in every zone the offset changes at most once on a date, so equal offsets at both ends mean a fixed offset
        self._fixed_offset = np.append(np.diff(columns.offsets) == 0, False)
        self._offsets = np.array([""] * len(columns.offsets), dtype=object)
        for offset in np.unique(columns.offsets):
            self._offsets[columns.offsets == offset] = _offset(int(offset))

    def __call__(self, at: Instants) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        """Return the text of each instant, and whether it is valid: the instant is as `has_fixed_offset` requires."""
        day = self._columns.day(at)
        valid = self._fixed_offset[day] & (day >= 0)
        minute, second = np.divmod((at - self._columns.midnights[day]) // _SECOND, 60)
        texts = self._dates[day] + _MINUTES[minute % len(_MINUTES)] + _SECONDS[second] + self._offsets[day]
        return texts, valid

    def has_fixed_offset(self, at: Instants) -> NDArray[np.bool_]:
        """Return whether each instant is within the calendar's span, on a date without a change of the offset."""
        day = self._columns.day(at)
        found: NDArray[np.bool_] = self._fixed_offset[day] & (day >= 0)
        return found


@lru_cache(maxsize=8)
def _dates(first: date, last: date) -> NDArray[np.object_]:
    """Return the texts `2017-11-06T` of each date from `first` to the day after `last`, to begin an instant's text."""
    ordinals = range(first.toordinal(), last.toordinal() + 2)
    return np.array([f"{date.fromordinal(ordinal)}T" for ordinal in ordinals], dtype=object)


def _offset(microseconds: int) -> str:
    """Return the text of an offset from UTC, such as `+07:00`, to end an instant's text."""
    ahead = timezone(timedelta(microseconds=microseconds))
    return datetime.combine(date(2017, 11, 6), time(0), ahead).isoformat()[_SIGN:]
