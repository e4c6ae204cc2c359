"""The half year of 2017: how many come, how they are handled, and that intake would take it, every time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from datetime import date, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from uuid import UUID

import pytest

from motcua.lab.acceptance import refusals
from motcua.lab.half_year.drawing import HalfYear
from motcua.lab.half_year.figures import BEN_TRE, INVENTED, LETTER, Figures
from motcua.lab.past_acts import PastAct
from services.intake.domain.life_cycle import State
from services.intake.domain.runs import Timetable
from services.intake.dossiers.registry import ACTS, move
from services.notify.numbers import mobile
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.clock import ClockChange, What, derive
from services.sla.domain.terms import term_of
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.kernel.weeks import monday

ROOT = Path(__file__).parents[3]
SMALL = ("STC", "STTTT", "SVHTTDL", "SKHCN", "BQLKKT", "BHXH")


@pytest.fixture(scope="module")
def centre() -> Centre:
    """The centre that the product ships with."""
    return load_centre(ROOT / "config" / "binh-phuoc")


@pytest.fixture(scope="module")
def whole(centre: Centre) -> tuple[HalfYear, list[PastAct]]:
    """All 27 weeks, drawn once."""
    half_year = HalfYear(centre, weeks=27)
    return half_year, list(half_year.acts())


@pytest.fixture(scope="module")
def six_weeks(centre: Centre) -> tuple[HalfYear, list[PastAct]]:
    """The default size."""
    half_year = HalfYear(centre)
    return half_year, list(half_year.acts())


def by_dossier(acts: Sequence[PastAct]) -> dict[UUID, list[PastAct]]:
    """Each dossier's acts, in order."""
    lives: dict[UUID, list[PastAct]] = {}
    for act in acts:
        lives.setdefault(act.dossier_id, []).append(act)
    return lives


def scaled_weeks(half_year: HalfYear, department: str) -> list[float]:
    """A department's volume in each week with two working days or more, as for five of them."""
    volumes = []
    for week in half_year.ledger.weeks():
        days = [week + timedelta(days=count) for count in range(7)]
        working = sum(half_year.worktime.is_working_day(day) for day in days)
        if working >= 2 and week >= date(2017, 5, 1) and days[-1] <= half_year.last_date:
            volumes.append(half_year.ledger.volume[(department, week)] * 5 / working)
    return volumes


def test_whole_time_has_about_twenty_five_thousand_dossiers(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """As the letter says: more than 25,000 in just over six months, from 28 April to 6 November 2017."""
    half_year, acts = whole
    assert (half_year.first_date, half_year.last_date) == (date(2017, 4, 28), date(2017, 11, 6))
    assert 25_000 < half_year.ledger.dossiers < 26_000
    assert half_year.starts_at <= acts[0].occurred_at
    assert acts[-1].occurred_at < half_year.ends_at


def test_how_many_dossiers_come_is_known_before_they_are_drawn(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """Each arrival is one dossier, submitted within the time that is played."""
    half_year, _ = whole
    assert half_year.dossiers() == half_year.ledger.dossiers


def test_known_shares_are_kept(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """The six largest have the shares of the source; the other thirteen split the rest."""
    half_year, _ = whole
    drawn: Counter[str] = Counter()
    for (department, _week), count in half_year.ledger.submitted.items():
        drawn[department] += count
    known = {"CA": 0.306, "SCT": 0.147, "SGTVT": 0.119, "STNMT": 0.089, "SNNPTNT": 0.085, "STP": 0.084}
    shares = {code: drawn[code] / drawn.total() for code in known}
    assert shares == pytest.approx(known, abs=0.008)
    assert len(drawn) == 19
    assert sum(half_year.figures.departments().values()) == pytest.approx(1)


def test_six_departments_stay_below_ten_a_week(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """The week scaled to five working days stays below ten in every week."""
    half_year, _ = whole
    assert {code: max(scaled_weeks(half_year, code)) < 10 for code in SMALL} == dict.fromkeys(SMALL, True)


@pytest.mark.parametrize("seed", [1, 2])
def test_small_departments_are_small_by_any_seed(centre: Centre, seed: int) -> None:
    """It is no luck of the default seed."""
    half_year = HalfYear(centre, weeks=5, seed=seed)
    for _ in half_year.acts():
        pass
    assert {code: max(scaled_weeks(half_year, code)) < 10 for code in SMALL} == dict.fromkeys(SMALL, True)


def test_two_departments_hover_around_ten(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """They are above in some weeks and below in others, and near in the mean."""
    half_year, _ = whole
    for code in ("SNV", "SNgV"):
        weeks = scaled_weeks(half_year, code)
        assert min(weeks) < 10 <= max(weeks)
        assert sum(weeks) / len(weeks) == pytest.approx(10, abs=1.6)


def test_others_are_mostly_above_ten(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """Nobody else comes near four weeks in a row below ten, which would call for pooling."""
    half_year, _ = whole
    others = set(half_year.figures.departments()) - {*SMALL, "SNV", "SNgV"}
    for code in others:
        runs = [len(list(run)) for low, run in groupby(week < 10 for week in scaled_weeks(half_year, code)) if low]
        assert max(runs, default=0) < 4, code


def test_mondays_are_busier_than_fridays_and_nobody_stands_at_a_counter_on_a_day_off(
    whole: tuple[HalfYear, list[PastAct]],
) -> None:
    """Weekdays have their rush; 2 September, its day in lieu, and every weekend have nobody."""
    half_year, acts = whole
    zone = half_year.worktime.zone
    days = Counter(
        act.occurred_at.astimezone(zone).date()
        for act in acts
        if act.act == "submit" and act.data["channel"] != "online"
    )
    weekdays = Counter[int]()
    for day, count in days.items():
        weekdays[day.isoweekday()] += count
    assert weekdays[1] > weekdays[3] > weekdays[5]
    assert all(half_year.worktime.is_working_day(day) for day in days)
    assert date(2017, 9, 4) not in days


def test_acts_of_staff_lie_in_working_time(six_weeks: tuple[HalfYear, list[PastAct]]) -> None:
    """Only applicants act at night or on a day off."""
    half_year, acts = six_weeks
    outside = [act for act in acts if half_year.worktime.from_opening(act.occurred_at) != act.occurred_at]
    assert outside
    assert {act.doer.role for act in outside} == {"applicant"}


def test_seasons_differ(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """July is busier than May, working day by working day."""
    half_year, acts = whole
    months = Counter(act.occurred_at.astimezone(half_year.worktime.zone).month for act in acts if act.act == "submit")
    working = Counter(
        day.month for day in half_year.worktime.working_days if date(2017, 5, 1) <= day <= date(2017, 7, 31)
    )
    assert months[7] / working[7] > 1.05 * months[5] / working[5]


def test_same_seed_gives_the_same_bytes(centre: Centre) -> None:
    """Drawn again, nothing differs; another seed gives another past."""
    one, again, other = (
        b"".join(act.line() for act in HalfYear(centre, weeks=1, seed=seed).acts()) for seed in (7, 7, 8)
    )
    assert one == again
    assert one != other


def test_a_small_run_is_the_beginning_of_a_large_one(
    whole: tuple[HalfYear, list[PastAct]], six_weeks: tuple[HalfYear, list[PastAct]]
) -> None:
    """Size is weeks at full volume, never a thinner week."""
    _, long = whole
    _, short = six_weeks
    assert [act.line() for act in long[: len(short)]] == [act.line() for act in short]


def test_acts_come_in_order_of_time(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """A player that cuts them into windows loses none."""
    _, acts = whole
    assert all(earlier.occurred_at <= later.occurred_at for earlier, later in pairwise(acts))


def test_keys_and_dossiers_are_unique(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """Every act has its own key; every dossier its own id, of version 7 and its own instant."""
    half_year, acts = whole
    lives = by_dossier(acts)
    assert len({act.key for act in acts}) == len(acts)
    assert len(lives) == half_year.ledger.dossiers
    assert {dossier_id.version for dossier_id in lives} == {7}
    for dossier_id, life in lives.items():
        assert dossier_id.int >> 80 == int(life[0].occurred_at.timestamp() * 1000)


def test_papers_go_with_the_centres_runs(six_weeks: tuple[HalfYear, list[PastAct]]) -> None:
    """With the first run after their receipt, or at once where the work is short; a batch has one pair of names."""
    half_year, acts = six_weeks
    timetable = Timetable(half_year.centre, half_year.worktime)
    signed: dict[str, set[tuple[str, str]]] = {}
    for life in by_dossier(acts).values():
        for before, act in pairwise(life):
            if act.act == "hand_over":
                run = timetable.first_after("department", before.occurred_at)
                at_once = half_year.worktime.elapsed(before.occurred_at, act.occurred_at) <= timedelta(minutes=15)
                assert act.occurred_at == run or at_once
                signed.setdefault(act.data["batch"], set()).add((act.data["given_by"], act.data["taken_by"]))
    assert {len(names) for names in signed.values()} == {1}


def test_every_life_is_legal_under_the_table_of_acts(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """State by state, each act is allowed, and done by somebody whose role may do it to this dossier."""
    _, acts = whole
    for life in by_dossier(acts).values():
        state: State | None = None
        came_from: State | None = None
        for past in life:
            act = ACTS[past.act]
            assert past.doer.role in act.roles
            assert past.doer.role != "officer" or past.doer.department == past.department
            if state is None:
                assert past.act == "submit"
                state = "submitted"
            else:
                to = move(act, state, came_from)
                came_from = state if to in ("supplement_required", "payment_required") and to != state else came_from
                state = to
            if past.receives:
                state = "received"


def test_intake_would_take_every_line(centre: Centre, six_weeks: tuple[HalfYear, list[PastAct]]) -> None:
    """Read by its request models and judged by its own decisions: papers, competence, contacts, roles and moments."""
    _, acts = six_weeks
    assert [(past.key, refusal.detail) for past, refusal in refusals(centre, acts)] == []


def test_applicants_can_be_reached_or_say_nothing(six_weeks: tuple[HalfYear, list[PastAct]]) -> None:
    """Every phone number is one that an SMS reaches, also those of eleven digits; some leave no contact at all."""
    _, acts = six_weeks
    people = [act.data["applicant"] for act in acts if act.act in ("submit", "correct_contact")]
    numbers = [person["phone"] for person in people if "phone" in person]
    assert all(mobile(number) for number in numbers)
    assert {len(number) for number in numbers} == {10, 11}
    assert any("phone" not in person and "email" not in person for person in people)


def test_ledger_counts_what_was_taken(six_weeks: tuple[HalfYear, list[PastAct]]) -> None:
    """By department and week of its own time: acts, submissions and receipts; a walk-in is both."""
    half_year, acts = six_weeks
    ledger, zone = half_year.ledger, half_year.worktime.zone
    counted: Counter[tuple[str, date, str]] = Counter()
    for act in acts:
        place = (act.department, monday(act.occurred_at.astimezone(zone).date()))
        counted[(*place, act.act)] += 1
        if act.act == "submit" and "receive" in act.data:
            counted[(*place, "receive")] += 1
    assert ledger.acts == counted
    assert ledger.lines == len(acts)
    assert ledger.dossiers == len(by_dossier(acts))
    assert ledger.received.total() == sum(count for (_, _, act), count in counted.items() if act == "receive")


def test_nothing_drawn_is_an_outcome_yet_nearly_all_is_in_time(
    centre: Centre, six_weeks: tuple[HalfYear, list[PastAct]]
) -> None:
    """Judged by the pure rules of the clock, as the letter says of the real one: more than 99 % in time."""
    _, acts = six_weeks
    clock: dict[str, What] = {
        "ask_supplement": "paused",
        "ask_payment": "paused",
        "supplement_received": "resumed",
        "paid": "resumed",
        "settle": "settled",
        "withdraw": "withdrawn",
        "stop": "stopped",
    }
    calendar = compile_calendar(centre.calendar)
    outcomes: Counter[str | None] = Counter()
    for life in by_dossier(acts).values():
        events: list[ClockChange] = []
        for past in life:
            what = "received" if past.receives else clock.get(past.act) if events else None
            if what is not None:
                events.append(ClockChange(what, past.occurred_at, past.occurred_at))
        if events:
            term = term_of(centre, life[0].data["procedure"], events[0].at)
            outcomes[derive(events, term, calendar).outcome] += 1
    judged = outcomes["early"] + outcomes["on_time"] + outcomes["late"]
    assert outcomes["late"] > 0
    assert 0.99 < 1 - outcomes["late"] / judged < 0.999


def test_every_number_tells_its_story() -> None:
    """A reader is shown each number with what it says and its source, and which ones are invented."""
    listed = {figure.name: figure for figure in Figures().listed()}
    assert set(listed) == {entry.name for entry in fields(Figures)}
    assert all(figure.says and figure.source for figure in listed.values())
    known = {figure.name for figure in listed.values() if not figure.invented}
    assert known == {"opens_on", "ends_on", "total", "shares"}
    assert listed["shares"].source == BEN_TRE
    assert listed["total"].source == LETTER
    assert listed["seasons"].source == INVENTED


@pytest.mark.parametrize("weeks", [0, 28])
def test_other_sizes_are_refused(centre: Centre, weeks: int) -> None:
    """The time has 27 weeks."""
    with pytest.raises(StartError, match="1 to 27 weeks"):
        HalfYear(centre, weeks=weeks)
