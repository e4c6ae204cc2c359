"""Simulation of rules: small cases by hand, queueing theory, the centre of 2017, and invalid input."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import StringIO
from math import factorial
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from motcua.lab.simulate.arrivals import ArrivalArrays, arrival_arrays
from motcua.lab.simulate.command import SimulationRequest, run_simulation
from motcua.lab.simulate.outcomes import Outcome, Simulation, pareto_optimal
from motcua.lab.simulate.pooling_history import PooledPeriod
from motcua.lab.simulate.queue import serve
from motcua.lab.simulate.rule_grid import parse_range, rule_grid
from motcua.lab.simulate.sources import ReceivedDossier, from_file, from_half_year
from services.sla.domain.calendar import compile_calendar
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from tests.support.centre_folder import ruled_centre
from tests.support.hand_clock import at

BINH_PHUOC = Path(__file__).parents[3] / "config" / "binh-phuoc"
FIRST, LAST = date(2018, 1, 8), date(2018, 2, 25)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """Return a small centre with a rule, one officer per counter and two at the general counter."""
    return load_centre(ruled_centre(tmp_path_factory.mktemp("centre")))


def arrivals_of(
    centre: Centre, received: Sequence[ReceivedDossier], first: date = FIRST, last: date = LAST
) -> ArrivalArrays:
    """Return the dossiers as arrays, with the rule in force."""
    calendar, rule = compile_calendar(centre.calendar), centre.pooling_rule(last)
    assert rule is not None
    return arrival_arrays(received, centre, calendar.worktime, calendar.standard_day, rule, first=first, last=last)


def weekly(
    department: str, procedure: str, dossiers: int, *, weeks: int = 7, time: str = "08:00"
) -> list[ReceivedDossier]:
    """Return dossiers on each Tuesday, a minute apart."""
    days = [FIRST + timedelta(days=7 * week + 1) for week in range(weeks)]
    return [
        ReceivedDossier(at(f"{day} {time}") + timedelta(minutes=number), department, "counter", procedure)
        for day in days
        for number in range(dossiers)
    ]


def test_small_case_matches_a_calculation_by_hand(centre: Centre) -> None:
    """STC is pooled for the last two weeks, after four weeks below ten.

    The fourth week closes after Tuesday 6 February 07:00, so STC is pooled from 12 February. In two weeks, ten days of
    eight hours are freed at STC's one counter, and six dossiers of 15.494 minutes are moved.
    """
    arrivals = weekly("STC", "1.000001", 3) + weekly("STP", "2.000908", 20) + weekly("CA", "L.7", 12)
    online = [replace(each, channel="online") for each in weekly("STC", "1.000001", 40)]
    found = arrivals_of(centre, arrivals + online)
    outcome = Simulation(found, seed=1).outcome(found.rule)
    assert outcome.pooling.periods == (PooledPeriod("STC", date(2018, 2, 12), LAST),)
    assert (outcome.pooling.changes, outcome.pooling.pooled_at_end) == (1, ("STC",))
    assert (outcome.moved, outcome.peak, outcome.freed_at_end) == (6, 3, 1)
    assert outcome.freed_mean == pytest.approx(10 / 35)
    assert outcome.hours_returned == pytest.approx(10 * 8 - 6 * 15.494 / 60, abs=0.001)
    assert outcome.share == pytest.approx(6 / (7 * 35))
    assert found.online == 280


def test_queue_matches_a_calculation_by_hand() -> None:
    """Arrivals at 0, 1, 2 and 10 with a service time of 4 have the expected waits with one and with two officers."""
    arrivals, services = np.array([0.0, 1.0, 2.0, 10.0]), np.full((1, 4), 4.0)
    one, two = serve(arrivals, services, 1), serve(arrivals, services, 2)
    assert one.waited.tolist() == [[0, 3, 6, 2]]
    assert one.ended.tolist() == [[4, 8, 12, 16]]
    assert two.waited.tolist() == [[0, 0, 2, 0]]
    with pytest.raises(ValueError, match="at least one officer"):
        serve(arrivals, services, 0)


def test_queue_with_one_officer_follows_lindleys_recursion() -> None:
    """The waits with one officer are those of Lindley's recursion."""
    random = np.random.default_rng(7)
    arrivals = np.cumsum(random.exponential(10, 2000))
    services = random.lognormal(2, 0.7, (3, 2000))
    waited = np.zeros((3, 2000))
    for n in range(1, 2000):
        waited[:, n] = np.maximum(waited[:, n - 1] + services[:, n - 1] - (arrivals[n] - arrivals[n - 1]), 0)
    assert np.allclose(serve(arrivals, services, 1).waited, waited)


@pytest.mark.parametrize(("officers", "load"), [(1, 0.6), (2, 0.7), (4, 0.8)])
def test_exponential_times_give_the_waits_of_erlang(officers: int, load: float) -> None:
    """In an M/M/c queue the mean wait is C(c, a) / (c - a) service times (20 draws of arrivals, 10 of services)."""
    offered = load * officers
    random = np.random.default_rng(11)
    draws = []
    for _ in range(20):
        arrivals = np.cumsum(random.exponential(1 / offered, 3000))
        waited = serve(arrivals, random.exponential(1.0, (10, 3000)), officers).waited
        draws.append(waited[:, 300:].mean())  # the first ones arrive at an empty counter
    blocked = offered**officers / factorial(officers) / (1 - load)
    erlang_c = blocked / (sum(offered**n / factorial(n) for n in range(officers)) + blocked)
    error = np.std(draws) / np.sqrt(len(draws))
    assert error < 0.1 * np.mean(draws)
    assert abs(np.mean(draws) - erlang_c / (officers - offered)) < 3 * error


def test_centre_of_2017_matches_the_letter() -> None:
    """The six departments below ten per week are pooled, with 1 to 4 % of the dossiers and short waits."""
    centre = load_centre(BINH_PHUOC)
    found = arrivals_of(centre, list(from_half_year(centre, seed=2017)), date(2017, 5, 1), date(2017, 11, 5))
    simulation = Simulation(found, seed=2017)
    outcome = simulation.outcome(found.rule)
    assert outcome.pooling.pooled_at_end == ("BHXH", "BQLKKT", "SKHCN", "STC", "STTTT", "SVHTTDL")
    assert (outcome.freed_at_end, outcome.pooling.changes) == (6, 6)
    assert 0.01 < outcome.share < 0.04
    assert outcome.waiting is not None
    half, entered, twice = outcome.waiting
    assert half.mean < entered.mean < twice.mean < 5
    assert Simulation(found, seed=2017).outcome(found.rule) == outcome
    all_pooled = simulation.outcome(replace(found.rule, pool_below=10_000, release_from=10_001))
    assert len(all_pooled.pooling.pooled_at_end) == 19
    assert all_pooled.wait > 60  # two officers cannot receive for all


def test_dominated_and_duplicate_outcomes_are_left_out(centre: Centre) -> None:
    """Only outcomes that no other dominates are returned, and equal ones once."""
    found = arrivals_of(centre, weekly("STC", "1.000001", 3) + weekly("STP", "2.000908", 20) + weekly("CA", "L.7", 11))
    one = Simulation(found, seed=1).outcome(found.rule)

    def outcome(hours: float, changes: int) -> Outcome:
        return replace(one, hours_returned=hours, waiting=None, pooling=replace(one.pooling, changes=changes))

    good, other, worse, same = outcome(80, 2), outcome(60, 1), outcome(60, 2), outcome(80, 2)
    assert pareto_optimal([worse, other, good, same]) == [good, other]


def test_gap_invalid_dates_and_unknown_department_are_rejected(centre: Centre) -> None:
    """Arrivals with an empty week, dates outside the calendar and an unknown department are rejected."""
    arrivals = [
        one for one in weekly("STP", "2.000908", 3) if not at("2018-01-22 00:00") < one.at < at("2018-02-05 00:00")
    ]
    with pytest.raises(StartError, match=r"has a gap: .* in the week of 2018-01-22, 2018-01-29"):
        arrivals_of(centre, arrivals)
    with pytest.raises(StartError, match="--to 2018-01-07 is before --from 2018-01-08"):
        arrivals_of(centre, arrivals, last=date(2018, 1, 7))
    with pytest.raises(StartError, match="outside the calendar, 2017-01-01 to 2026-12-31"):
        arrivals_of(centre, arrivals, last=date(2030, 1, 7))
    with pytest.raises(StartError, match="no department SYT from 2018-01-08 to 2018-02-25"):
        arrivals_of(
            centre, [*weekly("STP", "2.000908", 3), ReceivedDossier(at("2018-01-09 09:00"), "SYT", "counter", None)]
        )


def test_ranges_are_parsed_and_combined(centre: Centre) -> None:
    """Each notation of a range is parsed, and invalid combinations are counted, or rejected if none is valid."""
    assert [parse_range("pool_below", written) for written in ("8", "4,6", "6..9", "6..12..3", "6..7,3")] == [
        (8,), (4, 6), (6, 7, 8, 9), (6, 9, 12), (3, 6, 7)
    ]  # fmt: skip
    for bad in ("", "x", "9..6", "1..2..0", "1..2..3..4", "-1", "6..", "1.5"):
        with pytest.raises(StartError, match="--pool-below"):
            parse_range("pool_below", bad)
    rule = centre.pooling_rule(LAST)
    assert rule is not None
    found = rule_grid(rule, {"pool_below": (10, 12), "release_from": (11, 13)})
    assert ([(one.pool_below, one.release_from) for one in found.rules], found.left_out) == (
        [(10, 11), (10, 13), (12, 13)],
        1,
    )
    with pytest.raises(StartError, match=r"release_from \(10\) must be above pool_below \(10\)"):
        rule_grid(rule, {"pool_below": (10,), "release_from": (10,)})
    with pytest.raises(StartError, match="pool_weeks must be at least 1"):
        rule_grid(rule, {"pool_weeks": (0, 1)})
    with pytest.raises(StartError, match="settings are too many"):
        rule_grid(rule, {"pool_below": range(1, 100), "release_from": range(1, 100)})


def test_file_is_read_or_rejected_with_every_fault(centre: Centre, tmp_path: Path) -> None:
    """A valid file is read; otherwise each fault is reported with line, column and reason."""
    path = tmp_path / "arrivals.csv"
    path.write_text("received_at,department,channel,procedure\n2018-01-09T08:00:00+07:00,STC,post,\n", encoding="utf-8")
    assert from_file(path, centre) == [
        ReceivedDossier(datetime.fromisoformat("2018-01-09T08:00:00+07:00"), "STC", "post", None)
    ]
    path.write_text(
        "received_at,department,channel,procedure\n2018-01-09T08:00:00,STC,post,\n2018-01-09,SYT,fax,9.9\nx,STC,post\n",
        encoding="utf-8",
    )
    with pytest.raises(StartError) as refused:
        from_file(path, centre)
    for fault in (
        "Nothing was simulated.",
        "arrivals.csv:2: received_at: '2018-01-09T08:00:00' has no offset",
        "arrivals.csv:3: department: 'SYT' is not known",
        "arrivals.csv:3: channel: 'fax' is not one of online, counter, post",
        "arrivals.csv:3: procedure: '9.9' is not known",
        "arrivals.csv:4: 3 values, but the header has 4 columns",
    ):
        assert fault in str(refused.value)
    path.write_text("received_at,department\n", encoding="utf-8")
    with pytest.raises(StartError, match="must be received_at,department,channel,procedure"):
        from_file(path, centre)
    path.write_bytes(b"\xff")
    with pytest.raises(StartError, match="cannot be read"):
        from_file(path, centre)


@pytest.mark.parametrize(("language", "title"), [("vi", "Đề xuất nhận hồ sơ tại Quầy Tổng hợp"), ("en", "a proposal")])
def test_command_prints_the_table_and_writes_the_files(
    centre: Centre, tmp_path: Path, language: str, title: str
) -> None:
    """The command prints table and assumptions, and writes all settings as CSV and a self-contained document."""
    path, output = tmp_path / "arrivals.csv", StringIO()
    arrivals = weekly("STC", "1.000001", 3) + weekly("STP", "2.000908", 20) + weekly("CA", "L.7", 12)
    lines = [f"{one.at.isoformat()},{one.department},{one.channel},{one.procedure}" for one in arrivals]
    path.write_text("\n".join(["received_at,department,channel,procedure", *lines]) + "\n", encoding="utf-8")
    request = SimulationRequest(
        first=FIRST,
        last=LAST,
        arrivals=path,
        half_year=False,
        ranges={"pool_below": "2..10..4", "release_from": "8,12"},
        seed=1,
        everything=False,
        table=tmp_path / "all.csv",
        paper=tmp_path / "paper.html",
        language="vi" if language == "vi" else "en",
    )
    assert run_simulation(request, centre, "postgresql://nowhere", Console(file=output, width=100)) == 0
    assert "The rule in force (04/QĐ) ends with STC at the general counter." in output.getvalue()
    assert "5 settings simulated. 1 combinations left out" in output.getvalue()
    assert "median 12 minutes, p90 30 (service_times.csv)" in output.getvalue()
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 6
    page = (tmp_path / "paper.html").read_text(encoding="utf-8")
    assert title in page
    assert {"vi": "chưa có nguồn: số quyết định.", "en": "without a source: number of the decision."}[language] in page
    assert not [word for word in ("<script", "http:", "https:", "src=", "@import", "url(") if word in page]
    with pytest.raises(StartError, match="--from and --to are missing"):
        run_simulation(replace(request, first=None), centre, "", Console(file=output))
    with pytest.raises(StartError, match="exclude each other"):
        run_simulation(replace(request, half_year=True), centre, "", Console(file=output))
