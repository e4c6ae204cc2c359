"""The demo's judgement: what was drawn is held against what the services say, and every difference is named."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from motcua.demo.comparison import differences
from motcua.demo.derivation import Derivation
from motcua.demo.page import write_page
from motcua.demo.reading import Clock, State
from motcua.demo.summary import Summary, percent, summarise
from motcua.past.half_year.drawing import HalfYear
from shared.kernel.centre import Centre
from shared.runtime.centre import load_centre

CENTRE = Path(__file__).parents[3] / "config" / "binh-phuoc"


@pytest.fixture(scope="module")
def centre() -> Centre:
    """The centre of the draw."""
    return load_centre(CENTRE)


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
    assert list(differences(state, half_year.ledger, derivation)) == []


@pytest.mark.parametrize("counted", ["submitted", "received", "volume"])
def test_a_dossier_in_another_week_is_named(drawn: tuple[HalfYear, Derivation, State], counted: str) -> None:
    """Same total, another week: two differences, each with department and Monday."""
    half_year, derivation, state = drawn
    counts = {name: Counter(getattr(state, name)) for name in ("submitted", "received", "volume")}
    first, second = sorted(place for place in counts[counted] if place[0] == "CA")
    counts[counted][first] -= 1
    counts[counted][second] += 1
    wrong = State(now=state.now, acts=state.acts, clocks=state.clocks, messages=state.messages, **counts)
    told = list(differences(wrong, half_year.ledger, derivation))
    assert [sentence.split(":")[0] for sentence in told] == [f"CA, week of {first[1]}", f"CA, week of {second[1]}"]


def test_a_lost_act_is_named(drawn: tuple[HalfYear, Derivation, State]) -> None:
    """By department, week and act."""
    half_year, derivation, state = drawn
    acts = Counter(state.acts)
    place = next(place for place in acts if place[2] == "settle")
    acts[place] -= 1
    told = list(differences(replace(state, acts=acts), half_year.ledger, derivation))
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
    told = list(differences(replace(state, clocks=clocks), half_year.ledger, derivation))
    assert [sentence.split(":")[0] for sentence in told] == [str(moved), str(late), str(lost)]
    assert "sla has no clock" in told[2]


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
    assert page.count("<svg") == 5
