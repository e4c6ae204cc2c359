"""Instants from ISO texts and back, many at once: the usual form by columns, every other one by one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from motcua.due import members
from motcua.due.errors import CaseError
from services.sla.domain.calendar import Calendar
from services.sla.vectorized import EPOCH, MICROSECOND, CalendarArrays, Instants

UNREAD = int(np.iinfo(np.int64).min)
"""Stands for a text that is no instant, or one with a fraction of a second."""
_USUAL = "2017-11-06T07:00:00+07:00"
_DIGITS = np.array([place for place, sign in enumerate(_USUAL) if sign.isdigit()])
_SIGNS = np.array([place for place, sign in enumerate(_USUAL) if not sign.isdigit() and sign != "+"])
_SIGN = _USUAL.index("+")
_ROW = np.frombuffer(_USUAL.encode(), dtype=np.uint8)
_SECOND = timedelta(seconds=1) // MICROSECOND
_EARLIEST, _LATEST = ((datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND // _SECOND for year in (2, 9999))
_MINUTES = np.array([f"{minute // 60:02}:{minute % 60:02}:" for minute in range(24 * 60)], dtype=object)
_SECONDS = np.array([f"{second:02}" for second in range(60)], dtype=object)


def read(texts: Sequence[str]) -> Instants:
    """The instants of ISO texts with an offset, as members.instant reads them; UNREAD where it is not for columns."""
    if not texts:
        return np.empty(0, dtype=np.int64)
    fitting, singly = texts, []
    if set(map(len, texts)) - {len(_USUAL)} or not "".join(texts).isascii():
        singly = [place for place, text in enumerate(texts) if len(text) != len(_USUAL) or not text.isascii()]
        fitting = list(texts)
        for place in singly:
            fitting[place] = _USUAL
    signs = np.frombuffer("".join(fitting).encode(), dtype=np.uint8).reshape(-1, len(_USUAL))
    try:
        found, usual = _usual(signs)
    except ValueError:  # the thirtieth of February, say
        return np.array([_one(text) for text in texts], dtype=np.int64)
    for place in (*singly, *np.flatnonzero(~usual)):
        found[place] = _one(texts[place])
    return found


def _usual(signs: NDArray[np.uint8]) -> tuple[Instants, NDArray[np.bool_]]:
    """The instants of texts, a row each, and where they are of the usual form. Raises ValueError if one is none."""
    digits = signs[:, _DIGITS] - ord("0")
    hour, minute = (10 * digits[:, place] + digits[:, place + 1] for place in (14, 16))
    west = signs[:, _SIGN] == ord("-")
    usual = (digits <= 9).all(axis=1) & (signs[:, _SIGNS] == _ROW[_SIGNS]).all(axis=1)
    usual &= (west | (signs[:, _SIGN] == ord("+"))) & (hour <= 23) & (minute <= 59)
    local = np.ascontiguousarray(np.where(usual[:, np.newaxis], signs, _ROW)[:, :_SIGN]).view(f"S{_SIGN}")[:, 0]
    second = local.astype("datetime64[s]").astype(np.int64)
    usual &= (second >= _EARLIEST) & (second < _LATEST)
    offset = 3600 * hour.astype(np.int64) + 60 * minute.astype(np.int64)
    return (second - np.where(west, -offset, offset)) * _SECOND, usual


def _one(text: str) -> int:
    try:
        moment = members.instant(text)
    except CaseError:
        return UNREAD
    at = (moment - EPOCH) // MICROSECOND
    return UNREAD if at % _SECOND or not _EARLIEST <= at // _SECOND < _LATEST else at


class Told:
    """Instants of a calendar's span as local texts."""

    def __init__(self, calendar: Calendar, columns: CalendarArrays) -> None:
        worktime = calendar.worktime
        self._columns = columns
        self._dates = _dates(worktime.first_date, worktime.last_date)
        # the offset changes at most once on a date, in every zone there is: equal at both ends means that it stays
        self._steady = np.append(np.diff(columns.offsets) == 0, False)
        self._offsets = np.array([""] * len(columns.offsets), dtype=object)
        for offset in np.unique(columns.offsets):
            self._offsets[columns.offsets == offset] = _offset(int(offset))

    def __call__(self, at: Instants) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        """The texts, and where they are right: not outside the span, nor on a date whose offset changes."""
        day = self._columns.day(at)
        right = self._steady[day] & (day >= 0)
        minute, second = np.divmod((at - self._columns.midnights[day]) // _SECOND, 60)
        texts = self._dates[day] + _MINUTES[minute % len(_MINUTES)] + _SECONDS[second] + self._offsets[day]
        return texts, right

    def steady(self, at: Instants) -> NDArray[np.bool_]:
        """Whether the instants lie on dates of the span on which the offset stays."""
        day = self._columns.day(at)
        found: NDArray[np.bool_] = self._steady[day] & (day >= 0)
        return found


@lru_cache(maxsize=8)
def _dates(first: date, last: date) -> NDArray[np.object_]:
    """Each date of a span and the one after it, as an instant begins with it."""
    ordinals = range(first.toordinal(), last.toordinal() + 2)
    return np.array([f"{date.fromordinal(ordinal)}T" for ordinal in ordinals], dtype=object)


def _offset(microseconds: int) -> str:
    """As an instant ends with it."""
    ahead = timezone(timedelta(microseconds=microseconds))
    return datetime.combine(date(2017, 11, 6), time(0), ahead).isoformat()[_SIGN:]
