"""The half year of 2017: its volumes and acts, their reproducibility, and their acceptance by intake's rules."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from datetime import date, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from uuid import UUID

import pytest

from motcua.lab.dry_run import refused_acts
from motcua.lab.past_acts import PastAct
from motcua.lab.scenarios.half_year.parameters import BEN_TRE, INVENTED, LETTER, Parameters
from motcua.lab.scenarios.half_year.scenario import HalfYear
from services.intake.domain.runs import Timetable
from services.intake.dossiers.registry import ACTS, move
from services.notify.phone_numbers import mobile_number
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.clock import ChangeKind, ClockChange, derive
from services.sla.domain.terms import term_of
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.kernel.vocabulary import State
from shared.kernel.weeks import monday

ROOT = Path(__file__).parents[3]
SMALL = ("STC", "STTTT", "SVHTTDL", "SKHCN", "BQLKKT", "BHXH")


@pytest.fixture(scope="module")
def centre() -> Centre:
    """Return the centre of Bình Phước."""
    return load_centre(ROOT / "config" / "binh-phuoc")


@pytest.fixture(scope="module")
def whole(centre: Centre) -> tuple[HalfYear, list[PastAct]]:
    """Return all 27 weeks, drawn once."""
    half_year = HalfYear(centre, weeks=27)
    return half_year, list(half_year.acts())


@pytest.fixture(scope="module")
def six_weeks(centre: Centre) -> tuple[HalfYear, list[PastAct]]:
    """Return the default number of weeks."""
    half_year = HalfYear(centre)
    return half_year, list(half_year.acts())


def by_dossier(acts: Sequence[PastAct]) -> dict[UUID, list[PastAct]]:
    """Return each dossier's acts, in order."""
    found: dict[UUID, list[PastAct]] = {}
    for act in acts:
        found.setdefault(act.dossier_id, []).append(act)
    return found


def scaled_weeks(half_year: HalfYear, department: str) -> list[float]:
    """Return a department's volume in each week with at least two working days, scaled to five."""
    volumes = []
    for week in half_year.ledger.weeks():
        days = [week + timedelta(days=count) for count in range(7)]
        working = sum(half_year.worktime.is_working_day(day) for day in days)
        if working >= 2 and week >= date(2017, 5, 1) and days[-1] <= half_year.last_date:
            volumes.append(half_year.ledger.volume[(department, week)] * 5 / working)
    return volumes


def test_whole_time_has_about_twenty_five_thousand_dossiers(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """As in the letter, there are more than 25,000 dossiers from 28 April to 6 November 2017."""
    half_year, acts = whole
    assert (half_year.first_date, half_year.last_date) == (date(2017, 4, 28), date(2017, 11, 6))
    assert 25_000 < half_year.ledger.dossiers < 26_000
    assert half_year.starts_at <= acts[0].occurred_at
    assert acts[-1].occurred_at < half_year.ends_at


def test_number_of_dossiers_is_known_before_their_acts_are_drawn(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """Each arrival is one dossier, submitted within the scenario's dates."""
    half_year, _ = whole
    assert half_year.dossiers() == half_year.ledger.dossiers


def test_largest_departments_have_the_shares_of_the_source(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """The six largest departments have the shares of the source; the other thirteen share the rest."""
    half_year, _ = whole
    drawn: Counter[str] = Counter()
    for (department, _week), count in half_year.ledger.submitted.items():
        drawn[department] += count
    known = {"CA": 0.306, "SCT": 0.147, "SGTVT": 0.119, "STNMT": 0.089, "SNNPTNT": 0.085, "STP": 0.084}
    shares = {code: drawn[code] / drawn.total() for code in known}
    assert shares == pytest.approx(known, abs=0.008)
    assert len(drawn) == 19
    assert sum(half_year.parameters.departments().values()) == pytest.approx(1)


def test_six_departments_stay_below_ten_per_week(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """Their volume, scaled to five working days, is below ten in every week."""
    half_year, _ = whole
    assert {code: max(scaled_weeks(half_year, code)) < 10 for code in SMALL} == dict.fromkeys(SMALL, True)


@pytest.mark.parametrize("seed", [1, 2])
def test_small_departments_are_small_with_any_seed(centre: Centre, seed: int) -> None:
    """The six departments stay below ten with other seeds, too."""
    half_year = HalfYear(centre, weeks=5, seed=seed)
    for _ in half_year.acts():
        pass
    assert {code: max(scaled_weeks(half_year, code)) < 10 for code in SMALL} == dict.fromkeys(SMALL, True)


def test_two_departments_vary_around_ten(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """Two departments are above ten in some weeks and below in others, with a mean near ten."""
    half_year, _ = whole
    for code in ("SNV", "SNgV"):
        weeks = scaled_weeks(half_year, code)
        assert min(weeks) < 10 <= max(weeks)
        assert sum(weeks) / len(weeks) == pytest.approx(10, abs=1.6)


def test_other_departments_are_mostly_above_ten(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """No other department has four weeks in a row below ten, which would lead to pooling."""
    half_year, _ = whole
    others = set(half_year.parameters.departments()) - {*SMALL, "SNV", "SNgV"}
    for code in others:
        runs = [len(list(run)) for low, run in groupby(week < 10 for week in scaled_weeks(half_year, code)) if low]
        assert max(runs, default=0) < 4, code


def test_counters_receive_more_on_mondays_and_nothing_on_days_off(
    whole: tuple[HalfYear, list[PastAct]],
) -> None:
    """Arrivals at counters vary by weekday; there are none on weekends, on 2 September and on its day in lieu."""
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


def test_acts_of_staff_are_in_working_time(six_weeks: tuple[HalfYear, list[PastAct]]) -> None:
    """Only applicants act outside working time."""
    half_year, acts = six_weeks
    outside = [act for act in acts if half_year.worktime.from_opening(act.occurred_at) != act.occurred_at]
    assert outside
    assert {act.actor.role for act in outside} == {"applicant"}


def test_arrivals_vary_by_month(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """July has more submissions per working day than May."""
    half_year, acts = whole
    months = Counter(act.occurred_at.astimezone(half_year.worktime.zone).month for act in acts if act.act == "submit")
    working = Counter(
        day.month for day in half_year.worktime.working_days if date(2017, 5, 1) <= day <= date(2017, 7, 31)
    )
    assert months[7] / working[7] > 1.05 * months[5] / working[5]


def test_same_seed_gives_the_same_bytes(centre: Centre) -> None:
    """The same seed gives the same bytes, another seed others."""
    one, again, other = (
        b"".join(act.line() for act in HalfYear(centre, weeks=1, seed=seed).acts()) for seed in (7, 7, 8)
    )
    assert one == again
    assert one != other


def test_fewer_weeks_are_a_prefix_of_more_weeks(
    whole: tuple[HalfYear, list[PastAct]], six_weeks: tuple[HalfYear, list[PastAct]]
) -> None:
    """Fewer weeks give the first acts of more weeks, at full volume."""
    _, long = whole
    _, short = six_weeks
    assert [act.line() for act in long[: len(short)]] == [act.line() for act in short]


def test_acts_are_in_time_order(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """No act is before the act that precedes it in the stream."""
    _, acts = whole
    assert all(earlier.occurred_at <= later.occurred_at for earlier, later in pairwise(acts))


def test_keys_and_dossiers_are_unique(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """Every act has its own key, and every dossier its own UUIDv7 with the instant of its submission."""
    half_year, acts = whole
    dossiers = by_dossier(acts)
    assert len({act.key for act in acts}) == len(acts)
    assert len(dossiers) == half_year.ledger.dossiers
    assert {dossier_id.version for dossier_id in dossiers} == {7}
    for dossier_id, own in dossiers.items():
        assert dossier_id.int >> 80 == int(own[0].occurred_at.timestamp() * 1000)


def test_papers_are_handed_over_with_the_runs(six_weeks: tuple[HalfYear, list[PastAct]]) -> None:
    """Papers go with the first run after receipt, or at once for short work; a batch has one pair of signatures."""
    half_year, acts = six_weeks
    timetable = Timetable(half_year.centre, half_year.worktime)
    signed: dict[str, set[tuple[str, str]]] = {}
    for own in by_dossier(acts).values():
        for before, act in pairwise(own):
            if act.act == "hand_over":
                run = timetable.first_after("department", before.occurred_at)
                at_once = half_year.worktime.elapsed(before.occurred_at, act.occurred_at) <= timedelta(minutes=15)
                assert act.occurred_at == run or at_once
                signed.setdefault(act.data["batch"], set()).add((act.data["given_by"], act.data["taken_by"]))
    assert {len(names) for names in signed.values()} == {1}


def test_every_act_is_allowed_by_the_life_cycle(whole: tuple[HalfYear, list[PastAct]]) -> None:
    """Each act is allowed in the dossier's state and performed by a role that may perform it on this dossier."""
    _, acts = whole
    for own in by_dossier(acts).values():
        state: State | None = None
        came_from: State | None = None
        for past in own:
            act = ACTS[past.act]
            assert past.actor.role in act.roles
            assert past.actor.role != "officer" or past.actor.department == past.department
            if state is None:
                assert past.act == "submit"
                state = "submitted"
            else:
                to = move(act, state, came_from)
                came_from = state if to in ("supplement_required", "payment_required") and to != state else came_from
                state = to
            if past.receives:
                state = "received"


def test_intake_would_accept_every_line(centre: Centre, six_weeks: tuple[HalfYear, list[PastAct]]) -> None:
    """Intake's request models and rules accept every line: papers, competence, contacts, roles and instants."""
    _, acts = six_weeks
    assert [(past.key, refusal.detail) for past, refusal in refused_acts(centre, acts)] == []


def test_phone_numbers_are_reachable_by_sms(six_weeks: tuple[HalfYear, list[PastAct]]) -> None:
    """Every phone number can receive an SMS, those of eleven digits too; some applicants leave no contact."""
    _, acts = six_weeks
    people = [act.data["applicant"] for act in acts if act.act in ("submit", "correct_contact")]
    numbers = [person["phone"] for person in people if "phone" in person]
    assert all(mobile_number(number) for number in numbers)
    assert {len(number) for number in numbers} == {10, 11}
    assert any("phone" not in person and "email" not in person for person in people)


def test_ledger_counts_the_acts_taken(six_weeks: tuple[HalfYear, list[PastAct]]) -> None:
    """The ledger counts acts by department and by the week in which they happened; a walk-in is two acts."""
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


def test_more_than_99_percent_are_on_time(centre: Centre, six_weeks: tuple[HalfYear, list[PastAct]]) -> None:
    """By the pure rules of the clock more than 99 % are on time, as in the letter, and some are late."""
    _, acts = six_weeks
    clock: dict[str, ChangeKind] = {
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
    for own in by_dossier(acts).values():
        changes: list[ClockChange] = []
        for past in own:
            what = "received" if past.receives else clock.get(past.act) if changes else None
            if what is not None:
                changes.append(ClockChange(what, past.occurred_at, past.occurred_at))
        if changes:
            term = term_of(centre, own[0].data["procedure"], changes[0].at)
            outcomes[derive(changes, term, calendar).outcome] += 1
    judged = outcomes["early"] + outcomes["on_time"] + outcomes["late"]
    assert outcomes["late"] > 0
    assert 0.99 < 1 - outcomes["late"] / judged < 0.999


def test_every_parameter_has_a_meaning_and_a_source() -> None:
    """Each parameter is listed with meaning and source, and invented ones are marked."""
    listed = {parameter.name: parameter for parameter in Parameters().listed()}
    assert set(listed) == {entry.name for entry in fields(Parameters)}
    assert all(parameter.meaning and parameter.source for parameter in listed.values())
    known = {parameter.name for parameter in listed.values() if not parameter.invented}
    assert known == {"opens_on", "ends_on", "total", "shares"}
    assert listed["shares"].source == BEN_TRE
    assert listed["total"].source == LETTER
    assert listed["seasons"].source == INVENTED


@pytest.mark.parametrize("weeks", [0, 28])
def test_number_of_weeks_out_of_range_is_rejected(centre: Centre, weeks: int) -> None:
    """The half year has 1 to 27 weeks."""
    with pytest.raises(StartError, match="1 to 27 weeks"):
        HalfYear(centre, weeks=weeks)
