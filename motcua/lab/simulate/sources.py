"""Sources of past arrivals for the simulation: routing's own record, a CSV file, or the half year of 2017."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import psycopg

from motcua.lab.scenarios.half_year.scenario import HalfYear
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.kernel.vocabulary import Channel
from shared.kernel.worktime import midnight
from shared.postgres.published_calendars import WorkingTime, parse_published_calendar

COLUMNS = ("received_at", "department", "channel", "procedure")
CHANNELS: tuple[str, ...] = get_args(Channel)
_SHOWN = 20
_DAY = timedelta(days=1)

_RECORDED = """
select received_at, named_department, channel, procedure from routing.dossiers
where received_at >= %s and received_at < %s order by received_at, dossier_id
"""
_PUBLISHED = "select published::text from routing.calendars where name = %s and published is not null"


@dataclass(frozen=True, slots=True)
class ReceivedDossier:
    """A dossier received at the aware instant `at`. `procedure` is None if it is not known."""

    at: datetime
    department: str
    channel: str
    procedure: str | None


@dataclass(frozen=True, slots=True)
class RoutingRecord:
    """The dossiers that routing recorded, and routing's calendar in force; it is None until sla has published one."""

    arrivals: list[ReceivedDossier]
    calendar: WorkingTime | None


def from_half_year(centre: Centre, *, seed: int) -> Iterator[ReceivedDossier]:
    """Yield the arrivals of the half year of 2017, by week and department.

    Raises StartError for a centre that does not fit its parameters.
    """
    half_year = HalfYear(centre, weeks=27, seed=seed)
    for one in half_year.arrivals():
        yield ReceivedDossier(one.at, one.department, one.channel, one.procedure.code)


def from_database(verify_url: str, centre: Centre, first: date, last: date) -> RoutingRecord:
    """Read the dossiers that routing recorded from `first` to `last`, both included, and its calendar. Blocks.

    Raises StartError if the database does not answer, or has no dossier of that time.
    """
    span = (midnight(first, centre.zone), midnight(last + _DAY, centre.zone))
    try:
        with psycopg.connect(verify_url, connect_timeout=5) as connection:
            rows: list[Any] = connection.execute(_RECORDED, span).fetchall()
            published = connection.execute(_PUBLISHED, (centre.calendar.name,)).fetchone()
    except psycopg.Error as error:
        raise StartError(f"The database does not answer: {' '.join(str(error).split())}") from error
    if not rows:
        raise StartError(
            f"routing has recorded no dossier received from {first} to {last}. Choose other dates, give a file with "
            "--arrivals, or use the centre of 2017 with --half-year."
        )
    arrivals = [
        ReceivedDossier(at, department, channel or "", procedure) for at, department, channel, procedure in rows
    ]
    return RoutingRecord(arrivals, None if published is None else parse_published_calendar(published[0]))


def from_file(path: Path, centre: Centre) -> list[ReceivedDossier]:
    """Read arrivals from a CSV file with the header `received_at,department,channel,procedure`. Blocks.

    Raises StartError with the faults (at most 20, and the number of the others): line, column and what to do.
    """
    faults: list[str] = []
    found: list[ReceivedDossier] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            reader = csv.reader(source, strict=True)
            header = next(reader, [])
            if tuple(header) != COLUMNS:
                raise StartError(f"{path}:1: The header is {','.join(header)!r}, but must be {','.join(COLUMNS)}.")
            for cells in reader:
                one = _received_dossier(cells, centre, f"{path}:{reader.line_num}", faults)
                if one is not None:
                    found.append(one)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StartError(f"{path} cannot be read: {error}. It must be CSV with commas, in UTF-8.") from error
    if not found and not faults:
        faults.append(f"{path}: The file has no arrival.")
    if faults:
        more = f"\n… and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise StartError("Nothing was simulated.\n" + "\n".join(faults[:_SHOWN]) + more)
    return found


def _received_dossier(cells: list[str], centre: Centre, place: str, faults: list[str]) -> ReceivedDossier | None:
    if len(cells) != len(COLUMNS):
        faults.append(f"{place}: {len(cells)} values, but the header has {len(COLUMNS)} columns.")
        return None
    written, department, channel, procedure = cells
    before = len(faults)
    at = None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        faults.append(f"{place}: received_at: {written!r} is not an instant such as 2017-05-02T08:15:00+07:00.")
    if at is not None and at.tzinfo is None:
        faults.append(f"{place}: received_at: {written!r} has no offset. Add it, for example +07:00.")
    if department not in centre.departments:
        faults.append(f"{place}: department: {department!r} is not known. Correct it, or enter it in departments.csv.")
    if channel not in CHANNELS:
        faults.append(f"{place}: channel: {channel!r} is not one of {', '.join(CHANNELS)}.")
    if procedure and procedure not in centre.procedures:
        faults.append(f"{place}: procedure: {procedure!r} is not known. Correct it, or leave it empty.")
    if at is None or len(faults) > before:
        return None
    return ReceivedDossier(at, department, channel, procedure or None)
