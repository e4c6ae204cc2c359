"""The demo's comparison of the services' state with the drawn acts, its summary and its page."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from motcua.lab.demo.comparison import differences
from motcua.lab.demo.expected_clocks import ExpectedClocks
from motcua.lab.demo.expected_pooling import ExpectedPooling
from motcua.lab.demo.page import write_page
from motcua.lab.demo.state import Clock, OpenProposal, ServiceState
from motcua.lab.demo.summary import Summary, percent, summarise
from motcua.lab.scenarios.half_year.scenario import HalfYear
from services.routing.domain.volumes import Week
from shared.catalogue import load_centre
from shared.kernel.centre import Centre

CENTRE = Path(__file__).parents[3] / "config" / "binh-phuoc"


@pytest.fixture(scope="module")
def centre() -> Centre:
    """Return the centre of the half year."""
    return load_centre(CENTRE)


def pooling_of(half_year: HalfYear) -> ExpectedPooling:
    """Return the rule's results at the end of the half year."""
    return ExpectedPooling(
        half_year.centre, half_year.worktime, half_year.standard_day, half_year.first_date, half_year.ends_at
    )


def closed_of(half_year: HalfYear) -> Counter[tuple[str, date]]:
    """Return the volumes of closed weeks by department, as routing stores them."""
    last, found = pooling_of(half_year).last_closed, Counter[tuple[str, date]]()
    for department, week in half_year.ledger.submitted:
        if last is not None and week <= last:
            found[department, week] = half_year.ledger.volume[department, week]
    return found


@pytest.fixture(scope="module")
def drawn(centre: Centre) -> tuple[HalfYear, ExpectedClocks, ServiceState]:
    """Return one drawn week, its expected clocks, and the state of services without an error."""
    half_year, expected, departments = HalfYear(centre, weeks=1), ExpectedClocks(centre), {}
    for act in half_year.acts():
        expected.add(act)
        departments[act.dossier_id] = act.department
    ledger = half_year.ledger
    state = ServiceState(
        now=half_year.ends_at,
        submitted=Counter(ledger.submitted),
        received=Counter(ledger.received),
        volume=Counter(ledger.volume),
        acts=Counter(ledger.acts),
        clocks={
            key: Clock(departments[key], status, status.state == "paused", overdue=False)
            for key, status in expected.statuses()
        },
        closed=closed_of(half_year),
        proposals=[],
        messages=Counter({("sms", "delivered"): 900, ("none", "dropped: not_reachable"): 7}),
    )
    return half_year, expected, state


@pytest.fixture
def summary(centre: Centre, drawn: tuple[HalfYear, ExpectedClocks, ServiceState]) -> Summary:
    """Return the summary of that state."""
    half_year, _, state = drawn
    return summarise(state, centre, half_year.worktime, first_date=half_year.first_date, last_date=half_year.last_date)


def test_state_that_matches_the_draw_has_no_differences(drawn: tuple[HalfYear, ExpectedClocks, ServiceState]) -> None:
    """A state with hundreds of clocks that matches the drawn acts has no differences."""
    half_year, expected, state = drawn
    assert len(state.clocks) > 400
    assert list(differences(state, half_year.ledger, expected, pooling_of(half_year))) == []


@pytest.mark.parametrize("counted", ["submitted", "received", "volume"])
def test_dossier_in_another_week_is_a_difference(
    drawn: tuple[HalfYear, ExpectedClocks, ServiceState], counted: str
) -> None:
    """A dossier counted in another week gives two differences, each with department and Monday."""
    half_year, expected, state = drawn
    counts = {name: Counter(getattr(state, name)) for name in ("submitted", "received", "volume")}
    first, second = sorted(place for place in counts[counted] if place[0] == "CA")
    counts[counted][first] -= 1
    counts[counted][second] += 1
    wrong = replace(state, submitted=counts["submitted"], received=counts["received"], volume=counts["volume"])
    found = list(differences(wrong, half_year.ledger, expected, pooling_of(half_year)))
    assert [sentence.split(":")[0] for sentence in found] == [f"CA, week of {first[1]}", f"CA, week of {second[1]}"]


def test_missing_act_is_a_difference(drawn: tuple[HalfYear, ExpectedClocks, ServiceState]) -> None:
    """A missing act gives a difference with the kind of act."""
    half_year, expected, state = drawn
    acts = Counter(state.acts)
    place = next(place for place in acts if place[2] == "settle")
    acts[place] -= 1
    found = list(differences(replace(state, acts=acts), half_year.ledger, expected, pooling_of(half_year)))
    assert [f"acts settle, {acts[place] + 1} were drawn" in sentence for sentence in found] == [True]


def test_other_due_date_or_outcome_is_a_difference(drawn: tuple[HalfYear, ExpectedClocks, ServiceState]) -> None:
    """A due date a minute later, another outcome and a missing clock are differences."""
    half_year, expected, state = drawn
    clocks = dict(state.clocks)
    judged = [key for key, clock in sorted(clocks.items()) if clock.status.outcome and clock.status.due_at]
    moved, late, lost = judged[:3]
    due_at = clocks[moved].status.due_at
    assert due_at is not None
    clocks[moved] = replace(clocks[moved], status=replace(clocks[moved].status, due_at=due_at + timedelta(minutes=1)))
    clocks[late] = replace(clocks[late], status=replace(clocks[late].status, outcome="never"))
    del clocks[lost]
    found = list(differences(replace(state, clocks=clocks), half_year.ledger, expected, pooling_of(half_year)))
    assert [sentence.split(":")[0] for sentence in found] == [str(moved), str(late), str(lost)]
    assert "sla has no clock" in found[2]


def test_proposals_are_compared_with_the_rule_on_the_draw(
    drawn: tuple[HalfYear, ExpectedClocks, ServiceState], centre: Centre
) -> None:
    """After six weeks, a missing proposal, an additional one, a wrong volume and an open week are differences."""
    _, expected, state = drawn
    six = HalfYear(centre, weeks=6)
    for _ in six.acts():
        pass
    pooling = pooling_of(six)
    pooled = sorted(pooling.pooled(six.ledger))
    assert (pooling.last_closed, 5 <= len(pooled) <= 9) == (date(2017, 5, 29), True)
    weeks = [date(2017, 5, day) for day in (8, 15, 22, 29)]
    proposals = [
        OpenProposal(code, "general", tuple(pooling.week(six.ledger, code, week) for week in weeks), date(2017, 6, 12))
        for code in pooled
    ]
    good = replace(state, closed=closed_of(six), proposals=proposals)

    def compared(state: ServiceState) -> list[str]:
        found = differences(state, six.ledger, expected, pooling)
        return [each for each in found if "routing" in each or "propose" in each]

    assert compared(good) == []
    assert compared(replace(good, proposals=proposals[1:])) == [
        f"{pooled[0]}: the rule proposes to pool it, routing does not"
    ]
    assert compared(replace(good, proposals=[*proposals, replace(proposals[0], department="CA")])) == [
        "CA: routing proposes to pool it, the rule does not",
        f"CA: proposed on {proposals[0].weeks}, drawn were {tuple(pooling.week(six.ledger, 'CA', w) for w in weeks)}",
    ]
    wrong = replace(proposals[0], weeks=(Week(weeks[0], 99, 5), *proposals[0].weeks[1:]))
    assert len(compared(replace(good, proposals=[wrong, *proposals[1:]]))) == 1
    closed = Counter(good.closed)
    closed[pooled[0], weeks[0]] += 1
    assert "were drawn" in compared(replace(good, closed=closed))[0]
    open_still = Counter({place: count for place, count in good.closed.items() if place[1] < weeks[-1]})
    assert compared(replace(good, closed=open_still))[0].startswith("routing's last closed week is 2017-05-22")


def test_weeks_and_departments_add_up(summary: Summary, drawn: tuple[HalfYear, ExpectedClocks, ServiceState]) -> None:
    """Weeks and departments add up to all dossiers, and a week with one working day has no volume."""
    half_year, _, _ = drawn
    assert summary.dossiers == sum(summary.by_week) == half_year.ledger.dossiers
    assert [len(one.volumes) for one in summary.departments] == [1] * 19
    bhxh = next(one for one in summary.departments if one.code == "BHXH")
    assert bhxh.volume == half_year.ledger.volume["BHXH", summary.weeks[1]] * 5 / 3  # Monday and Tuesday were off
    assert bhxh in summary.with_few
    whole = summary.whole
    assert whole.judged == whole.on_time + whole.late > 200


def test_percentage_is_rounded_down() -> None:
    """One late dossier in ten thousand is not hidden by rounding, and 57 % stays 57 %."""
    assert percent(9999 / 10000) == "99.9 %"
    assert percent(1.0) == "100.0 %"
    assert percent(57 / 100) == "57.0 %"
    assert percent(None) == "–"


def test_page_is_self_contained(
    summary: Summary, centre: Centre, drawn: tuple[HalfYear, ExpectedClocks, ServiceState], tmp_path: Path
) -> None:
    """The page has no script and no address, lists each parameter, and shows differences with escaped text."""
    half_year, _, _ = drawn
    path = tmp_path / "page.html"
    parameters = list(half_year.parameters.listed())
    write_page(path, summary, centre, seed=2017, parameters=parameters, checks=("compared",), wrong=("a < b",))
    page = path.read_text(encoding="utf-8")
    assert not [word for word in ("<script", "http:", "https:", "src=", "@import", "url(") if word in page]
    assert "a &lt; b" in page
    assert "Every check passes" not in page
    assert all(parameter.name.replace("_", " ") in page for parameter in parameters)
    assert all(
        f'<td class="text">{value}</td>' in page for value in ("2017-04-28", "25,300", "0.035", "15 min", "60, 4,000")
    )
    few = page[page.index("<h2>Departments below") : page.index("<h2>Proposals for")]
    assert {one.code for one in summary.departments if f">{one.code}<" in few} == {one.code for one in summary.with_few}
    assert page.count("<svg") == 5
