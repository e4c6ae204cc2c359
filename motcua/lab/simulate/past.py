"""What came to a centre: arrivals as columns, from routing's own record, from a file, or from the draw of 2017."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import numpy as np
import psycopg
from numpy.typing import NDArray

from motcua.lab.half_year.drawing import HalfYear
from services.routing.domain.pooling import Week
from shared.contracts.dossiers import Channel
from shared.kernel.centre import Centre, PoolingRule, ServiceTime
from shared.kernel.dated import Dated
from shared.kernel.errors import StartError
from shared.kernel.weeks import WEEK, monday
from shared.kernel.worktime import OutsideCalendarError, Worktime, midnight
from shared.postgres.published_calendars import WorkingTime, parse_published_calendar

COLUMNS = ("received_at", "department", "channel", "procedure")
CHANNELS: tuple[str, ...] = get_args(Channel)
ASSUMED = ServiceTime(valid_from=date.min, decision="assumed", procedure=None, median_minutes=12, p90_minutes=30)
"""Where the centre enters no time at the counter."""
_SHOWN = 20
_DAY = timedelta(days=1)

_RECORDED = """
select received_at, named_department, channel, procedure from routing.dossiers
where received_at >= %s and received_at < %s order by received_at, dossier_id
"""
_PUBLISHED = "select published::text from routing.calendars where name = %s and published is not null"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A dossier received at an aware instant; `procedure` None where nobody tells it."""

    at: datetime
    department: str
    channel: str
    procedure: str | None


@dataclass(frozen=True, slots=True)
class Past:
    """The arrivals of `first` to `last`, both included, by the channels that need an officer, as columns in order.

    `at` are UTC seconds, moved to the next opening where nobody is there yet; `hour` counts hours since 1970 in the
    centre's zone, `day` is a proleptic ordinal; `mu` and `sigma` are the log-minutes that each takes at a counter.
    """

    centre: Centre
    worktime: Worktime
    standard_day: timedelta
    rule: PoolingRule
    first: date
    last: date
    departments: tuple[str, ...]
    department: NDArray[np.int64]
    at: NDArray[np.float64]
    hour: NDArray[np.int64]
    day: NDArray[np.int64]
    mu: NDArray[np.float64]
    sigma: NDArray[np.float64]
    online: int
    assumed: bool
    """Whether a dossier's time at the counter is assumed, since the centre enters none."""

    def weeks(self) -> list[date]:
        """The Mondays of the weeks, the first and the last maybe cut off by the span."""
        start = monday(self.first)
        return [start + n * WEEK for n in range((monday(self.last) - start) // WEEK + 1)]

    def volumes(self) -> dict[str, list[Week]]:
        """Each department's weeks, with the working days that lie in the span."""
        starts = self.weeks()
        counts = np.zeros((len(self.departments), len(starts)), dtype=np.int64)
        np.add.at(counts, (self.department, (self.day - starts[0].toordinal()) // 7), 1)
        return {
            code: [Week(start, int(counts[n, w]), self._working_days(start, code)) for w, start in enumerate(starts)]
            for n, code in enumerate(self.departments)
        }

    def _working_days(self, start: date, department: str) -> int:
        """Those on which the department exists."""
        days = (start + n * _DAY for n in range(7))
        return sum(
            self.first <= day <= self.last
            and self.worktime.is_working_day(day)
            and self.centre.department(department, day) is not None
            for day in days
        )


def past(
    arrivals: Iterable[Arrival],
    centre: Centre,
    worktime: Worktime,
    standard_day: timedelta,
    rule: PoolingRule,
    *,
    first: date,
    last: date,
) -> Past:
    """As columns. Raises StartError for a span beyond the calendar, and for a week with working days enough in which
    nobody came at all: a record with a gap says nothing about volumes."""
    if last < first:
        raise StartError(f"--to {last} is before --from {first}")
    for day in (first, last):
        if not worktime.first_date <= day <= worktime.last_date:
            raise StartError(
                f"{day} lies outside the calendar, which covers {worktime.first_date} to {worktime.last_date}"
            )
    within = sorted(
        (one for one in arrivals if first <= one.at.astimezone(centre.zone).date() <= last), key=lambda one: one.at
    )
    counted = [one for one in within if one.channel in rule.channels]
    codes = tuple(code for code, rows in centre.departments.items() if any(_overlaps(row, first, last) for row in rows))
    unknown = sorted({one.department for one in counted} - set(codes))
    if unknown:
        raise StartError(
            f"the centre has no department {', '.join(unknown)} from {first} to {last}: enter it in departments.csv"
        )
    place = {code: number for number, code in enumerate(codes)}
    local = [one.at.astimezone(centre.zone) for one in counted]
    times = [centre.service_time(one.procedure, at.date()) or ASSUMED for one, at in zip(counted, local, strict=True)]
    opened = [_opening(worktime, one.at) for one in counted]
    found = Past(
        centre=centre,
        worktime=worktime,
        standard_day=standard_day,
        rule=rule,
        first=first,
        last=last,
        departments=codes,
        department=np.array([place[one.department] for one in counted], dtype=np.int64),
        at=np.array([at.timestamp() for at in opened], dtype=np.float64),
        hour=np.array([_hour(at) for at in local], dtype=np.int64),
        day=np.array([at.date().toordinal() for at in local], dtype=np.int64),
        mu=np.array([time.mu for time in times], dtype=np.float64),
        sigma=np.array([time.sigma for time in times], dtype=np.float64),
        online=len(within) - len(counted),
        assumed=any(time is ASSUMED for time in times),
    )
    unknown = sorted({one.department for one in counted} - place.keys())
    if unknown:
        raise StartError(
            f"the centre has no department {', '.join(unknown)} on {last}: enter it, or leave its lines out"
        )
    _require_no_gap(found)
    return found


def _overlaps(row: Dated, first: date, last: date) -> bool:
    return row.valid_from <= last and (row.valid_to is None or first <= row.valid_to)


def _require_no_gap(found: Past) -> None:
    volumes = found.volumes()
    empty = [
        start
        for place, start in enumerate(found.weeks())
        if all(weeks[place].dossiers == 0 for weeks in volumes.values())
        and any(weeks[place].counts(found.rule) for weeks in volumes.values())
    ]
    if empty:
        weeks = ", ".join(map(str, empty[:_SHOWN]))
        raise StartError(
            f"nobody came to the whole centre in the week of {weeks}, though it was open: the record has a gap there; "
            "complete it, or choose --from and --to so that it lies outside"
        )


def _opening(worktime: Worktime, at: datetime) -> datetime:
    try:
        return worktime.from_opening(at)
    except OutsideCalendarError:
        return at


def _hour(local: datetime) -> int:
    offset = local.utcoffset()
    assert offset is not None  # it was brought into the centre's zone
    return int((local.timestamp() + offset.total_seconds()) // 3600)


def from_half_year(centre: Centre, *, seed: int) -> Iterator[Arrival]:
    """The draw of 2017. A post dossier, too, comes to a counter. Raises StartError for another centre."""
    half_year = HalfYear(centre, weeks=27, seed=seed)
    for one in half_year.arrivals():
        yield Arrival(one.at, one.department, one.channel, one.procedure.code)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What routing recorded, and the calendar that stands there; None before sla has published one."""

    arrivals: list[Arrival]
    calendar: WorkingTime | None


def from_database(verify_url: str, centre: Centre, first: date, last: date) -> Recorded:
    """What routing recorded. Raises StartError when the database does not answer, or holds nothing of the span."""
    span = (midnight(first, centre.zone), midnight(last + _DAY, centre.zone))
    try:
        with psycopg.connect(verify_url, connect_timeout=5) as connection:
            rows: list[Any] = connection.execute(_RECORDED, span).fetchall()
            published = connection.execute(_PUBLISHED, (centre.calendar.name,)).fetchone()
    except psycopg.Error as error:
        raise StartError(f"the database does not answer: {' '.join(str(error).split())}") from error
    if not rows:
        raise StartError(
            f"routing has recorded no dossier received from {first} to {last}: choose another span, name a file with "
            "--arrivals, or try the centre of 2017 with --half-year"
        )
    arrivals = [Arrival(at, department, channel or "", procedure) for at, department, channel, procedure in rows]
    return Recorded(arrivals, None if published is None else parse_published_calendar(published[0]))


def from_file(path: Path, centre: Centre) -> list[Arrival]:
    """A CSV file with the header `received_at,department,channel,procedure`, read whole.

    Raises StartError with every fault: line, column and what to do.
    """
    faults: list[str] = []
    found: list[Arrival] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            reader = csv.reader(source, strict=True)
            header = next(reader, [])
            if tuple(header) != COLUMNS:
                raise StartError(f"{path}:1: the header is {','.join(header)!r}; it must be {','.join(COLUMNS)}")
            for cells in reader:
                one = _arrival(cells, centre, f"{path}:{reader.line_num}", faults)
                if one is not None:
                    found.append(one)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StartError(f"{path} cannot be read: {error}; it must be CSV with commas, in UTF-8") from error
    if not found and not faults:
        faults.append(f"{path}: holds no arrival")
    if faults:
        more = f"\n… and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise StartError("Nothing was simulated.\n" + "\n".join(faults[:_SHOWN]) + more)
    return found


def _arrival(cells: list[str], centre: Centre, place: str, faults: list[str]) -> Arrival | None:
    if len(cells) != len(COLUMNS):
        faults.append(f"{place}: {len(cells)} values where the header names {len(COLUMNS)}")
        return None
    written, department, channel, procedure = cells
    before = len(faults)
    at = None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        faults.append(f"{place}: received_at: {written!r} is no instant such as 2017-05-02T08:15:00+07:00")
    if at is not None and at.tzinfo is None:
        faults.append(f"{place}: received_at: {written!r} has no offset: a guess would move it by hours, add +07:00")
    if department not in centre.departments:
        faults.append(f"{place}: department: {department!r} is not known: mend it, or enter it in departments.csv")
    if channel not in CHANNELS:
        faults.append(f"{place}: channel: {channel!r} is none of {', '.join(CHANNELS)}")
    if procedure and procedure not in centre.procedures:
        faults.append(f"{place}: procedure: {procedure!r} is not known: mend it, or leave it empty")
    return Arrival(at, department, channel, procedure or None) if at is not None and len(faults) == before else None
