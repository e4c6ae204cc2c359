"""The shipped centre: the case of 2017, filled from the catalogue, with invented values marked."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from shared.catalogue import Centre, load_centre
from shared.kernel.dated import Dated

ROOT = Path(__file__).parents[3]
CATALOGUE = ROOT.parent / "shared" / "data" / "catalogue"
ON = date(2018, 1, 2)

needs_catalogue = pytest.mark.skipif(
    not CATALOGUE.is_dir(), reason="the catalogue's source data is not on this machine"
)


@pytest.fixture(scope="module")
def centre() -> Centre:
    """The shipped configuration."""
    return load_centre(ROOT / "config" / "binh-phuoc")


def test_nineteen_departments_have_forty_counters(centre: Centre) -> None:
    """The counters are those of 2017, and every department has at least one."""
    departments = centre.departments_on(centre.opened_on)
    counters = [centre.counters_on(centre.opened_on, "department", row.code) for row in departments]
    assert (len(departments), sum(map(len, counters)), min(map(len, counters))) == (19, 40, 1)
    assert centre.counters_on(ON, "general") == (41,)


def test_six_departments_are_pooled_from_their_day_on(centre: Centre) -> None:
    """Departments are pooled from 4 December 2017, not before."""
    codes = [row.code for row in centre.departments_on(ON)]
    assert sum(centre.pooling(code, date(2017, 12, 4)) is not None for code in codes) == 6
    assert not any(centre.pooling(code, date(2017, 12, 3)) for code in codes)


def test_every_department_has_a_procedure(centre: Centre) -> None:
    """Every department is competent for at least one procedure."""
    offered = {code for rows in centre.procedures.values() for row in rows for code in row.departments}
    assert offered == set(centre.departments)


def test_values_without_source_are_marked_as_invented(centre: Centre) -> None:
    """Agency ids, counter numbers, papers and decisions are marked as invented."""
    assert all("agency_id" in row.invented for rows in centre.departments.values() for row in rows)
    assert all("number" in row.invented for rows in centre.counters.values() for row in rows)
    assert all("name_vi" in row.invented for rows in centre.requirements.values() for row in rows)
    every: list[Dated] = [row for rows in centre.departments.values() for row in rows]
    every += [row for rows in centre.counters.values() for row in rows]
    every += [row for rows in centre.procedures.values() for row in rows]
    every += [row for rows in centre.requirements.values() for row in rows]
    every += [row for rows in centre.poolings.values() for row in rows]
    assert all("decision" in row.invented for row in every)


@needs_catalogue
def test_departments_are_those_of_the_catalogue(centre: Centre) -> None:
    """Names and order are those of the source; the agency id is the row's number."""
    with (CATALOGUE / "departments.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:19]
    assert [(row.code, row.name_vi, row.agency_id) for row in centre.departments_on(ON)] == [
        (row["code"], row["name_vi"], f"H10.{number:02d}") for number, row in enumerate(rows, 1)
    ]


@needs_catalogue
def test_counters_follow_the_departments_shares(centre: Centre) -> None:
    """A department with a larger share of the volume never has fewer counters."""
    with (CATALOGUE / "departments.csv").open(encoding="utf-8", newline="") as file:
        shares = {row["code"]: float(row["weekly_volume_share"] or 0) for row in csv.DictReader(file)}
    counters = {row.code: len(centre.counters_on(ON, "department", row.code)) for row in centre.departments_on(ON)}
    by_share = sorted(counters, key=lambda code: shares[code])
    assert [counters[code] for code in by_share] == sorted(counters.values())
    assert all(counters[code] == 1 for code in counters if not shares[code])


@needs_catalogue
def test_procedures_are_those_of_the_catalogue(centre: Centre) -> None:
    """Name, department, term, cut-off and fee are those of the source; procedures without a term are left out."""
    units = {"hour": "working_hour"}
    differing, left_out = [], Counter[str]()
    with (CATALOGUE / "procedures.csv").open(encoding="utf-8", newline="") as file:
        for number, source in enumerate(csv.DictReader(file), 1):
            entered = centre.procedure(source["code"] or f"L.{number}", ON)
            if entered is None:
                left_out["another department" if source["department_code"] in ("CT", "DL") else "no term"] += 1
                continue
            term = entered.term
            expected = (
                source["name_vi"],
                (source["department_code"],),
                units.get(source["term_unit"], source["term_unit"]),
                source["term_value"],
                source["cut_off_time"],
                source["fee_vnd"],
            )
            found = (
                entered.name_vi,
                entered.departments,
                term.unit if term else "",
                str(term.value) if term else "",
                f"{term.cut_off:%H:%M}" if term and term.cut_off else "",
                "" if entered.fee_vnd is None else str(entered.fee_vnd),
            )
            if found != expected:
                differing.append(number)
    assert differing == []
    assert left_out == {"another department": 7, "no term": 5}
