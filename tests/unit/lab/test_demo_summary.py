"""The demo's judgement: what was drawn is held against what the services say, and every difference is named."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from motcua.lab.demo.comparison import differences
from motcua.lab.demo.expected_clocks import Derivation
from motcua.lab.demo.expected_pooling import Judged
from motcua.lab.demo.page import write_page
from motcua.lab.demo.state import Clock, Proposed, State
from motcua.lab.demo.summary import Summary, percent, summarise
from motcua.lab.scenarios.half_year.scenario import HalfYear
from services.routing.domain.pooling import Week
from shared.catalogue import load_centre
from shared.kernel.centre import Centre

CENTRE = Path(__file__).parents[3] / "config" / "binh-phuoc"


@pytest.fixture(scope="module")
def centre() -> Centre:
    """The centre of the draw."""
    return load_centre(CENTRE)


def judged_of(half_year: HalfYear) -> Judged:
    """What the rule would make of that draw, by its end."""
    return Judged(half_year.centre, half_year.worktime, half_year.standard_day, half_year.first_date, half_year.ends_at)


def closed_of(half_year: HalfYear) -> Counter[tuple[str, date]]:
    """The volumes of closed weeks, as routing would keep them: one for each department."""
    last, found = judged_of(half_year).last_closed, Counter[tuple[str, date]]()
    for department, week in half_year.ledger.submitted:
        if last is not None and week <= last:
            found[department, week] = half_year.ledger.volume[department, week]
    return found


@pytest.fixture(scope="module")
def drawn(centre: Centre) -> tuple[HalfYear, Derivation, State]:
    """One week, and the state of services that did everything right."""
    half_year, derivation, departments = HalfYear(centre, weeks=1), Derivation(centre), {}
    for act in half_year.acts():
        derivation.note(act)
        departments[act.dossier_id] = act.department
    ledger = half_year.ledger
    state = State(
        now=half_year.ends_at,
        submitted=Counter(ledger.submitted),
        received=Counter(ledger.received),
        volume=Counter(ledger.volume),
        acts=Counter(ledger.acts),
        clocks={
            key: Clock(departments[key], promise, promise.state == "paused", overdue=False)
            for key, promise in derivation.promises()
        },
        closed=closed_of(half_year),
        proposals=[],
        messages=Counter({("sms", "delivered"): 900, ("none", "dropped: not_reachable"): 7}),
    )
    return half_year, derivation, state


@pytest.fixture
def summary(centre: Centre, drawn: tuple[HalfYear, Derivation, State]) -> Summary:
    """Of that state."""
    half_year, _, state = drawn
    return summarise(state, centre, half_year.worktime, first_date=half_year.first_date, last_date=half_year.last_date)


def test_a_state_as_drawn_differs_in_nothing(drawn: tuple[HalfYear, Derivation, State]) -> None:
    """What the drawn acts come to is no difference, for hundreds of clocks."""
    half_year, derivation, state = drawn
    assert len(state.clocks) > 400
    assert list(differences(state, half_year.ledger, derivation, judged_of(half_year))) == []


@pytest.mark.parametrize("counted", ["submitted", "received", "volume"])
def test_a_dossier_in_another_week_is_named(drawn: tuple[HalfYear, Derivation, State], counted: str) -> None:
    """Same total, another week: two differences, each with department and Monday."""
    half_year, derivation, state = drawn
    counts = {name: Counter(getattr(state, name)) for name in ("submitted", "received", "volume")}
    first, second = sorted(place for place in counts[counted] if place[0] == "CA")
    counts[counted][first] -= 1
    counts[counted][second] += 1
    wrong = replace(state, submitted=counts["submitted"], received=counts["received"], volume=counts["volume"])
    told = list(differences(wrong, half_year.ledger, derivation, judged_of(half_year)))
    assert [sentence.split(":")[0] for sentence in told] == [f"CA, week of {first[1]}", f"CA, week of {second[1]}"]


def test_a_lost_act_is_named(drawn: tuple[HalfYear, Derivation, State]) -> None:
    """By department, week and act."""
    half_year, derivation, state = drawn
    acts = Counter(state.acts)
    place = next(place for place in acts if place[2] == "settle")
    acts[place] -= 1
    told = list(differences(replace(state, acts=acts), half_year.ledger, derivation, judged_of(half_year)))
    assert [f"acts settle, {acts[place] + 1} were drawn" in sentence for sentence in told] == [True]


def test_another_due_date_or_outcome_is_named(drawn: tuple[HalfYear, Derivation, State]) -> None:
    """A minute is enough, a missing clock too."""
    half_year, derivation, state = drawn
    clocks = dict(state.clocks)
    judged = [key for key, clock in sorted(clocks.items()) if clock.promise.outcome and clock.promise.due_at]
    moved, late, lost = judged[:3]
    due_at = clocks[moved].promise.due_at
    assert due_at is not None
    clocks[moved] = replace(clocks[moved], promise=replace(clocks[moved].promise, due_at=due_at + timedelta(minutes=1)))
    clocks[late] = replace(clocks[late], promise=replace(clocks[late].promise, outcome="never"))
    del clocks[lost]
    told = list(differences(replace(state, clocks=clocks), half_year.ledger, derivation, judged_of(half_year)))
    assert [sentence.split(":")[0] for sentence in told] == [str(moved), str(late), str(lost)]
    assert "sla has no clock" in told[2]


def test_proposals_are_held_against_the_rule_on_what_was_drawn(
    drawn: tuple[HalfYear, Derivation, State], centre: Centre
) -> None:
    """After six weeks five closed ones count; one proposal too few, one too many and a wrong figure are named."""
    _, derivation, state = drawn
    six = HalfYear(centre, weeks=6)
    for _ in six.acts():
        pass
    judged = judged_of(six)
    pooled = sorted(judged.pooled(six.ledger))
    assert (judged.last_closed, 5 <= len(pooled) <= 9) == (date(2017, 5, 29), True)
    weeks = [date(2017, 5, day) for day in (8, 15, 22, 29)]
    proposals = [
        Proposed(code, "general", tuple(judged.week(six.ledger, code, week) for week in weeks), date(2017, 6, 12))
        for code in pooled
    ]
    good = replace(state, closed=closed_of(six), proposals=proposals)

    def told(state: State) -> list[str]:
        found = differences(state, six.ledger, derivation, judged)
        return [each for each in found if "routing" in each or "propose" in each]

    assert told(good) == []
    assert told(replace(good, proposals=proposals[1:])) == [f"{pooled[0]}: the rule proposes to pool it alone"]
    assert told(replace(good, proposals=[*proposals, replace(proposals[0], department="CA")])) == [
        "CA: routing proposes to pool it alone",
        f"CA: proposed on {proposals[0].weeks}, drawn were {tuple(judged.week(six.ledger, 'CA', w) for w in weeks)}",
    ]
    wrong = replace(proposals[0], weeks=(Week(weeks[0], 99, 5), *proposals[0].weeks[1:]))
    assert len(told(replace(good, proposals=[wrong, *proposals[1:]]))) == 1
    closed = Counter(good.closed)
    closed[pooled[0], weeks[0]] += 1
    assert "were drawn" in told(replace(good, closed=closed))[0]
    open_still = Counter({place: count for place, count in good.closed.items() if place[1] < weeks[-1]})
    assert told(replace(good, closed=open_still))[0].startswith("routing's last closed week is 2017-05-22")


def test_shares_and_weeks_add_up(summary: Summary, drawn: tuple[HalfYear, Derivation, State]) -> None:
    """Weeks and departments add up to all dossiers, and a week of one working day says nothing about volume."""
    half_year, _, _ = drawn
    assert summary.dossiers == sum(summary.by_week) == half_year.ledger.dossiers
    assert [len(one.volumes) for one in summary.departments] == [1] * 19
    bhxh = next(one for one in summary.departments if one.code == "BHXH")
    assert bhxh.volume == half_year.ledger.volume["BHXH", summary.weeks[1]] * 5 / 3  # Monday and Tuesday were off
    assert bhxh in summary.with_few
    whole = summary.whole
    assert whole.judged == whole.on_time + whole.late > 200


def test_only_what_is_whole_reads_a_hundred_percent() -> None:
    """One late among ten thousand is not hidden by rounding, and 57 % stays 57 %."""
    assert percent(9999 / 10000) == "99.9 %"
    assert percent(1.0) == "100.0 %"
    assert percent(57 / 100) == "57.0 %"
    assert percent(None) == "–"


def test_the_page_needs_nothing_from_outside(
    summary: Summary, centre: Centre, drawn: tuple[HalfYear, Derivation, State], tmp_path: Path
) -> None:
    """No script, no address, and each number with its source; what differs stands there, escaped."""
    half_year, _, _ = drawn
    path = tmp_path / "page.html"
    figures = list(half_year.figures.listed())
    write_page(path, summary, centre, seed=2017, figures=figures, checks=("held",), wrong=("a < b",))
    page = path.read_text(encoding="utf-8")
    assert not [word for word in ("<script", "http:", "https:", "src=", "@import", "url(") if word in page]
    assert "a &lt; b" in page
    assert "Every check holds" not in page
    assert all(figure.name.replace("_", " ") in page for figure in figures)
    assert all(
        f'<td class="text">{told}</td>' in page for told in ("2017-04-28", "25,300", "0.035", "15 min", "60, 4,000")
    )
    few = page[page.index("<h2>Departments under") : page.index("<h2>Proposed for")]
    assert {one.code for one in summary.departments if f">{one.code}<" in few} == {one.code for one in summary.with_few}
    assert page.count("<svg") == 5
