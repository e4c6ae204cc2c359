"""What other rules would have brought: by hand, against queueing theory, on the centre of 2017, and on bad input."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import StringIO
from math import factorial
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from motcua.lab.simulate.arrivals import Arrival, Past, from_file, from_half_year, past
from motcua.lab.simulate.command import Asked, run_simulation
from motcua.lab.simulate.outcomes import Outcome, Simulation, best
from motcua.lab.simulate.pooling_history import Span
from motcua.lab.simulate.queue import serve
from motcua.lab.simulate.rule_grid import grid, values
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
    """Small, with a rule, one officer at each counter but two at the general one."""
    return load_centre(ruled_centre(tmp_path_factory.mktemp("centre")))


def came(centre: Centre, arrivals: Sequence[Arrival], first: date = FIRST, last: date = LAST) -> Past:
    """As columns, under the rule in force."""
    calendar, rule = compile_calendar(centre.calendar), centre.pooling_rule(last)
    assert rule is not None
    return past(arrivals, centre, calendar.worktime, calendar.standard_day, rule, first=first, last=last)


def weekly(department: str, procedure: str, dossiers: int, *, weeks: int = 7, time: str = "08:00") -> list[Arrival]:
    """So many on each Tuesday, a minute apart."""
    days = [FIRST + timedelta(days=7 * week + 1) for week in range(weeks)]
    return [
        Arrival(at(f"{day} {time}") + timedelta(minutes=number), department, "counter", procedure)
        for day in days
        for number in range(dossiers)
    ]


def test_a_small_case_by_hand(centre: Centre) -> None:
    """Four weeks below ten; the fourth closes after Tuesday 6 February 07:00, so STC is pooled from 12 February on.

    Two weeks: ten days of eight hours at STC's one counter are free, and six dossiers of 15.494 minutes have moved.
    """
    arrivals = weekly("STC", "1.000001", 3) + weekly("STP", "2.000908", 20) + weekly("CA", "L.7", 12)
    online = [replace(each, channel="online") for each in weekly("STC", "1.000001", 40)]
    found = came(centre, arrivals + online)
    outcome = Simulation(found, seed=1).outcome(found.rule)
    assert outcome.lived.spans == (Span("STC", date(2018, 2, 12), LAST),)
    assert (outcome.lived.changes, outcome.lived.pooled_at_end) == (1, ("STC",))
    assert (outcome.moved, outcome.peak, outcome.freed_at_end) == (6, 3, 1)
    assert outcome.freed_mean == pytest.approx(10 / 35)
    assert outcome.hours_returned == pytest.approx(10 * 8 - 6 * 15.494 / 60, abs=0.001)
    assert outcome.share == pytest.approx(6 / (7 * 35))
    assert found.online == 280


def test_a_queue_by_hand() -> None:
    """One officer, then two: arrivals at 0, 1, 2 and 10, each taking 4."""
    arrivals, services = np.array([0.0, 1.0, 2.0, 10.0]), np.full((1, 4), 4.0)
    one, two = serve(arrivals, services, 1), serve(arrivals, services, 2)
    assert one.waited.tolist() == [[0, 3, 6, 2]]
    assert one.ended.tolist() == [[4, 8, 12, 16]]
    assert two.waited.tolist() == [[0, 0, 2, 0]]
    with pytest.raises(ValueError, match="without an officer"):
        serve(arrivals, services, 0)


def test_one_officer_follows_lindleys_recursion() -> None:
    lots = np.random.default_rng(7)
    arrivals = np.cumsum(lots.exponential(10, 2000))
    services = lots.lognormal(2, 0.7, (3, 2000))
    waited = np.zeros((3, 2000))
    for n in range(1, 2000):
        waited[:, n] = np.maximum(waited[:, n - 1] + services[:, n - 1] - (arrivals[n] - arrivals[n - 1]), 0)
    assert np.allclose(serve(arrivals, services, 1).waited, waited)


@pytest.mark.parametrize(("officers", "load"), [(1, 0.6), (2, 0.7), (4, 0.8)])
def test_exponential_times_wait_as_erlang_says(officers: int, load: float) -> None:
    """M/M/c: the mean wait is C(c, a) / (c - a) service times. Twenty draws of arrivals, ten of services for each."""
    offered = load * officers
    lots = np.random.default_rng(11)
    draws = []
    for _ in range(20):
        arrivals = np.cumsum(lots.exponential(1 / offered, 3000))
        waited = serve(arrivals, lots.exponential(1.0, (10, 3000)), officers).waited
        draws.append(waited[:, 300:].mean())  # the first have an empty counter before them
    blocked = offered**officers / factorial(officers) / (1 - load)
    erlang_c = blocked / (sum(offered**n / factorial(n) for n in range(officers)) + blocked)
    error = np.std(draws) / np.sqrt(len(draws))
    assert error < 0.1 * np.mean(draws)
    assert abs(np.mean(draws) - erlang_c / (officers - offered)) < 3 * error


def test_the_centre_of_2017_comes_to_the_letters_situation() -> None:
    """Six departments below ten a week; the general counter receives a fortieth for them, and hardly anybody waits."""
    centre = load_centre(BINH_PHUOC)
    found = came(centre, list(from_half_year(centre, seed=2017)), date(2017, 5, 1), date(2017, 11, 5))
    simulation = Simulation(found, seed=2017)
    outcome = simulation.outcome(found.rule)
    assert outcome.lived.pooled_at_end == ("BHXH", "BQLKKT", "SKHCN", "STC", "STTTT", "SVHTTDL")
    assert (outcome.freed_at_end, outcome.lived.changes) == (6, 6)
    assert 0.01 < outcome.share < 0.04
    assert outcome.waiting is not None
    half, entered, twice = outcome.waiting
    assert half.mean < entered.mean < twice.mean < 5
    assert Simulation(found, seed=2017).outcome(found.rule) == outcome
    everybody = simulation.outcome(replace(found.rule, pool_below=10_000, release_from=10_001))
    assert len(everybody.lived.pooled_at_end) == 19
    assert everybody.wait > 60  # two officers cannot receive for all


def test_what_no_other_beats_is_shown(centre: Centre) -> None:
    found = came(centre, weekly("STC", "1.000001", 3) + weekly("STP", "2.000908", 20) + weekly("CA", "L.7", 11))
    one = Simulation(found, seed=1).outcome(found.rule)

    def worth(hours: float, moved: int) -> Outcome:
        return replace(one, hours_returned=hours, waiting=None, lived=replace(one.lived, changes=moved))

    good, other, worse, same = worth(80, 2), worth(60, 1), worth(60, 2), worth(80, 2)
    assert best([worse, other, good, same]) == [good, other]


def test_a_gap_and_a_span_that_cannot_be_are_refused(centre: Centre) -> None:
    arrivals = [
        one for one in weekly("STP", "2.000908", 3) if not at("2018-01-22 00:00") < one.at < at("2018-02-05 00:00")
    ]
    with pytest.raises(StartError, match="in the week of 2018-01-22, 2018-01-29, though it was open"):
        came(centre, arrivals)
    with pytest.raises(StartError, match="--to 2018-01-07 is before --from 2018-01-08"):
        came(centre, arrivals, last=date(2018, 1, 7))
    with pytest.raises(StartError, match="covers 2017-01-01 to 2026-12-31"):
        came(centre, arrivals, last=date(2030, 1, 7))
    with pytest.raises(StartError, match="no department SYT from 2018-01-08 to 2018-02-25"):
        came(centre, [*weekly("STP", "2.000908", 3), Arrival(at("2018-01-09 09:00"), "SYT", "counter", None)])


def test_ranges(centre: Centre) -> None:
    """Each way to write one; what is no rule is left out with its number, or refused where nothing is left."""
    assert [values("pool_below", written) for written in ("8", "4,6", "6..9", "6..12..3", "6..7,3")] == [
        (8,), (4, 6), (6, 7, 8, 9), (6, 9, 12), (3, 6, 7)
    ]  # fmt: skip
    for bad in ("", "x", "9..6", "1..2..0", "1..2..3..4", "-1", "6..", "1.5"):
        with pytest.raises(StartError, match="--pool-below"):
            values("pool_below", bad)
    rule = centre.pooling_rule(LAST)
    assert rule is not None
    found = grid(rule, {"pool_below": (10, 12), "release_from": (11, 13)})
    assert ([(one.pool_below, one.release_from) for one in found.rules], found.left_out) == (
        [(10, 11), (10, 13), (12, 13)],
        1,
    )
    with pytest.raises(StartError, match=r"release_from \(10\) must lie above pool_below \(10\)"):
        grid(rule, {"pool_below": (10,), "release_from": (10,)})
    with pytest.raises(StartError, match="0 is no pool_weeks"):
        grid(rule, {"pool_weeks": (0, 1)})
    with pytest.raises(StartError, match="settings are too many"):
        grid(rule, {"pool_below": range(1, 100), "release_from": range(1, 100)})


def test_a_file_is_read_whole_or_every_fault_told(centre: Centre, tmp_path: Path) -> None:
    path = tmp_path / "came.csv"
    path.write_text("received_at,department,channel,procedure\n2018-01-09T08:00:00+07:00,STC,post,\n", encoding="utf-8")
    assert from_file(path, centre) == [
        Arrival(datetime.fromisoformat("2018-01-09T08:00:00+07:00"), "STC", "post", None)
    ]
    path.write_text(
        "received_at,department,channel,procedure\n2018-01-09T08:00:00,STC,post,\n2018-01-09,SYT,fax,9.9\nx,STC,post\n",
        encoding="utf-8",
    )
    with pytest.raises(StartError) as refused:
        from_file(path, centre)
    for told in (
        "Nothing was simulated.",
        "came.csv:2: received_at: '2018-01-09T08:00:00' has no offset",
        "came.csv:3: department: 'SYT' is not known",
        "came.csv:3: channel: 'fax' is none of online, counter, post",
        "came.csv:3: procedure: '9.9' is not known",
        "came.csv:4: 3 values where the header names 4",
    ):
        assert told in str(refused.value)
    path.write_text("received_at,department\n", encoding="utf-8")
    with pytest.raises(StartError, match="it must be received_at,department,channel,procedure"):
        from_file(path, centre)
    path.write_bytes(b"\xff")
    with pytest.raises(StartError, match="cannot be read"):
        from_file(path, centre)


@pytest.mark.parametrize(("language", "title"), [("vi", "Đề xuất nhận hồ sơ tại Quầy Tổng hợp"), ("en", "a proposal")])
def test_the_command_prints_and_writes(centre: Centre, tmp_path: Path, language: str, title: str) -> None:
    """A table, the assumptions, every setting as CSV, and a paper that needs nothing from outside."""
    path, said = tmp_path / "came.csv", StringIO()
    arrivals = weekly("STC", "1.000001", 3) + weekly("STP", "2.000908", 20) + weekly("CA", "L.7", 12)
    lines = [f"{one.at.isoformat()},{one.department},{one.channel},{one.procedure}" for one in arrivals]
    path.write_text("\n".join(["received_at,department,channel,procedure", *lines]) + "\n", encoding="utf-8")
    asked = Asked(
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
    assert run_simulation(asked, centre, "postgresql://nowhere", Console(file=said, width=100)) == 0
    assert "The rule in force (04/QĐ) ends with STC at the general counter." in said.getvalue()
    assert "5 settings tried, 1 combinations left out" in said.getvalue()
    assert "median 12 minutes, p90 30 (service_times.csv)" in said.getvalue()
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 6
    page = (tmp_path / "paper.html").read_text(encoding="utf-8")
    assert title in page
    assert {"vi": "chưa có nguồn: số quyết định.", "en": "want of a source: the decision&#39;s number."}[
        language
    ] in page
    assert not [word for word in ("<script", "http:", "https:", "src=", "@import", "url(") if word in page]
    with pytest.raises(StartError, match="say from when to when"):
        run_simulation(replace(asked, first=None), centre, "", Console(file=said))
    with pytest.raises(StartError, match="name two pasts"):
        run_simulation(replace(asked, half_year=True), centre, "", Console(file=said))
