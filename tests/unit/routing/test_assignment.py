"""The receiving place follows the decisions in force on the local date; competence and returning place do not."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.assignment import RULE, Assigned, Waiting, decide
from services.routing.domain.decisions import Decisions, seeded
from shared.catalogue import Centre, load_centre
from tests.support.centre_folder import edited, write_centre

ON = date(2018, 1, 2)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """STC is pooled from 4 December 2017 to 11 February 2018 and again, by another decision, from 5 March 2018."""
    receiving = (
        edited("receiving.csv", "2017-12-04,,", "2017-12-04,2018-02-11,") + "STC,2018-03-05,,20/QĐ,,second time\n"
    )
    return load_centre(write_centre(tmp_path_factory.mktemp("centre"), receiving_csv=receiving))


def assigned(centre: Centre, procedure: str, on: date = ON, named: str | None = None) -> Assigned:
    """The decision, which must not be to wait."""
    decided = decide(centre, Decisions(seeded(centre)), procedure=procedure, named=named, on=on)
    assert isinstance(decided, Assigned)
    return decided


def waiting(centre: Centre, procedure: str, on: date = ON, named: str | None = None) -> Waiting:
    """The decision, which must be to wait."""
    decided = decide(centre, Decisions(seeded(centre)), procedure=procedure, named=named, on=on)
    assert isinstance(decided, Waiting)
    return decided


def test_a_department_that_is_not_pooled_receives_at_its_own_counters(centre: Centre) -> None:
    """The catalogue names the department, the counters are those open on that day."""
    decided = assigned(centre, "2.000908")
    assert (decided.department, decided.receiving, decided.counters) == ("STP", "department", (1, 2))


def test_a_pooled_department_is_received_at_the_general_counter(centre: Centre) -> None:
    """Pooling moves the receiving place alone: who is competent and where results lie stay as they were."""
    before, pooled = assigned(centre, "1.000001", date(2018, 2, 12)), assigned(centre, "1.000001")
    assert (pooled.receiving, pooled.counters) == ("general", (5,))
    assert (before.receiving, before.counters) == ("department", (3,))
    assert (pooled.department, pooled.returning_place) == (before.department, before.returning_place)


@pytest.mark.parametrize(
    ("on", "receiving", "decision"),
    [
        (date(2017, 12, 3), "department", "01/QĐ"),
        (date(2017, 12, 4), "general", "15/QĐ"),
        (date(2018, 2, 11), "general", "15/QĐ"),
        (date(2018, 2, 12), "department", "15/QĐ"),  # which ended by itself
        (date(2018, 3, 4), "department", "15/QĐ"),
        (date(2018, 3, 5), "general", "20/QĐ"),
    ],
)
def test_the_decision_in_force_on_the_day_decides(centre: Centre, on: date, receiving: str, decision: str) -> None:
    """First and last day of a decision are days in force."""
    decided = assigned(centre, "1.000001", on)
    assert (decided.receiving, decided.reason.decision) == (receiving, decision)


def test_the_reason_names_rule_decision_date_and_says_it_in_a_sentence(centre: Centre) -> None:
    """An officer can answer "why here?" from the reason alone."""
    reason = assigned(centre, "1.000001").reason
    assert (reason.rule, reason.decision, reason.in_force_from) == (RULE, "15/QĐ", date(2017, 12, 4))
    assert reason.text == (
        "Hồ sơ của Sở Tài chính nộp tại Quầy Tổng hợp (quầy số 5) từ ngày 04/12/2017 theo quyết định 15/QĐ; "
        "trả kết quả tại quầy số 6."
    )


def test_without_a_counter_for_results_the_department_returns_them(centre: Centre) -> None:
    """The small centre opened its counter for results only in 2018."""
    assert assigned(centre, "2.000908", date(2017, 12, 31)).returning_place == "STP"
    assert assigned(centre, "2.000908", date(2018, 1, 1)).returning_place == "results"


def test_an_unknown_procedure_waits_for_the_catalogue(centre: Centre) -> None:
    """It is never given to somebody by guess."""
    assert waiting(centre, "9.999999").waiting_for == "procedure"


def test_a_procedure_of_a_later_day_is_unknown_before(centre: Centre) -> None:
    """What the catalogue knows depends on the day."""
    assert waiting(centre, "2.000908", date(2017, 4, 27)).waiting_for == "procedure"


def test_several_competent_departments_wait_until_one_is_named(centre: Centre) -> None:
    """L.7 belongs to two; naming one decides."""
    assert waiting(centre, "L.7").waiting_for == "department"
    assert assigned(centre, "L.7", named="CA").department == "CA"


def test_a_named_department_decides_for_an_unknown_procedure(centre: Centre) -> None:
    """The receiving place depends on the department alone."""
    assert assigned(centre, "9.999999", named="STC").receiving == "general"


def test_the_department_that_intake_named_goes_before_the_catalogue(centre: Centre) -> None:
    """The dossier's code is drawn from it, so nothing else may be told."""
    assert assigned(centre, "2.000908", named="CA").department == "CA"


def test_a_department_that_is_not_the_centres_waits(centre: Centre) -> None:
    """An event of intake is never refused: it is listed."""
    assert waiting(centre, "2.000908", named="SYT").waiting_for == "department"


@settings(max_examples=60, deadline=None)
@given(days=st.integers(0, 3000), procedure=st.sampled_from(["2.000908", "1.000001"]))
def test_a_known_procedure_of_one_department_always_has_an_open_counter(
    centre: Centre, days: int, procedure: str
) -> None:
    """On every day since the opening: a place with at least one counter, and the same answer when asked again."""
    on = centre.opened_on + timedelta(days=days)
    decided = assigned(centre, procedure, on)
    assert decided.counters
    assert decided == assigned(centre, procedure, on, named=decided.department)


def test_the_shipped_centre_places_every_procedure(tmp_path: Path) -> None:
    """No procedure of the shipped catalogue waits, neither before nor after the pooling."""
    shipped = load_centre(Path(__file__).parents[3] / "config" / "binh-phuoc")
    for on in (shipped.opened_on, date(2017, 12, 4), date(2026, 7, 1)):
        kinds = {assigned(shipped, code, on).receiving for code in shipped.procedures}
        assert kinds == ({"department"} if on < date(2017, 12, 4) else {"department", "general"})
