"""The assignment rule: decisions in force on the local date change the receiving place and nothing else."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.assignment import RULE, Assigned, Waiting, decide
from services.routing.domain.decisions import Decisions, initial_decisions
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
    """The decision, which must be an assignment."""
    decided = decide(centre, Decisions(initial_decisions(centre)), procedure=procedure, named=named, on=on)
    assert isinstance(decided, Assigned)
    return decided


def waiting(centre: Centre, procedure: str, on: date = ON, named: str | None = None) -> Waiting:
    """The decision, which must be to wait."""
    decided = decide(centre, Decisions(initial_decisions(centre)), procedure=procedure, named=named, on=on)
    assert isinstance(decided, Waiting)
    return decided


def test_department_that_is_not_pooled_receives_at_own_counters(centre: Centre) -> None:
    """The catalogue names the department; its counters are those open on that day."""
    decided = assigned(centre, "2.000908")
    assert (decided.competent_department, decided.receiving, decided.counters) == ("STP", "department", (1, 2))


def test_pooled_department_is_received_at_general_counter(centre: Centre) -> None:
    """Pooling changes the receiving place, and not the competent department or the returning place."""
    before, pooled = assigned(centre, "1.000001", date(2018, 2, 12)), assigned(centre, "1.000001")
    assert (pooled.receiving, pooled.counters) == ("general", (5,))
    assert (before.receiving, before.counters) == ("department", (3,))
    assert (pooled.competent_department, pooled.returning_place) == (
        before.competent_department,
        before.returning_place,
    )


@pytest.mark.parametrize(
    ("on", "receiving", "decision"),
    [
        (date(2017, 12, 3), "department", "01/QĐ"),
        (date(2017, 12, 4), "general", "15/QĐ"),
        (date(2018, 2, 11), "general", "15/QĐ"),
        (date(2018, 2, 12), "department", "15/QĐ"),  # its last day was the day before
        (date(2018, 3, 4), "department", "15/QĐ"),
        (date(2018, 3, 5), "general", "20/QĐ"),
    ],
)
def test_decision_in_force_on_date_applies(centre: Centre, on: date, receiving: str, decision: str) -> None:
    """A decision is in force on its first and its last day."""
    decided = assigned(centre, "1.000001", on)
    assert (decided.receiving, decided.reason.decision) == (receiving, decision)


def test_reason_contains_rule_decision_date_and_sentence(centre: Centre) -> None:
    """The reason alone explains to an applicant why the dossier is received there."""
    reason = assigned(centre, "1.000001").reason
    assert (reason.rule, reason.decision, reason.in_force_from) == (RULE, "15/QĐ", date(2017, 12, 4))
    assert reason.text == (
        "Hồ sơ của Sở Tài chính nộp tại Quầy Tổng hợp (quầy số 5) từ ngày 04/12/2017 theo quyết định 15/QĐ; "
        "trả kết quả tại quầy số 6."
    )


def test_returning_place_without_results_counter_is_department(centre: Centre) -> None:
    """The department returns results until the centre opens a counter for results, here in 2018."""
    assert assigned(centre, "2.000908", date(2017, 12, 31)).returning_place == "STP"
    assert assigned(centre, "2.000908", date(2018, 1, 1)).returning_place == "results"


def test_unknown_procedure_waits_for_procedure(centre: Centre) -> None:
    """A dossier of an unknown procedure is never assigned by a guess."""
    assert waiting(centre, "9.999999").waiting_for == "procedure"


def test_procedure_before_its_first_day_is_unknown(centre: Centre) -> None:
    """The catalogue's content depends on the date."""
    assert waiting(centre, "2.000908", date(2017, 4, 27)).waiting_for == "procedure"


def test_several_competent_departments_wait_until_one_is_named(centre: Centre) -> None:
    """L.7 has two competent departments; a named one decides."""
    assert waiting(centre, "L.7").waiting_for == "department"
    assert assigned(centre, "L.7", named="CA").competent_department == "CA"


def test_named_department_decides_for_unknown_procedure(centre: Centre) -> None:
    """The receiving place depends only on the department."""
    assert assigned(centre, "9.999999", named="STC").receiving == "general"


def test_named_department_has_priority_over_catalogue(centre: Centre) -> None:
    """The dossier's code contains the agency id of the department that intake named."""
    assert assigned(centre, "2.000908", named="CA").competent_department == "CA"


def test_unknown_named_department_waits_for_department(centre: Centre) -> None:
    """An event of intake is never rejected: the dossier waits and is listed."""
    assert waiting(centre, "2.000908", named="SYT").waiting_for == "department"


@settings(max_examples=60, deadline=None)
@given(days=st.integers(0, 3000), procedure=st.sampled_from(["2.000908", "1.000001"]))
def test_known_procedure_of_one_department_has_open_counter(centre: Centre, days: int, procedure: str) -> None:
    """On every day since the opening, the place has at least one counter, and the answer is deterministic."""
    on = centre.opened_on + timedelta(days=days)
    decided = assigned(centre, procedure, on)
    assert decided.counters
    assert decided == assigned(centre, procedure, on, named=decided.competent_department)


def test_shipped_centre_assigns_every_procedure(tmp_path: Path) -> None:
    """No procedure of the shipped catalogue waits, before or after the pooling."""
    shipped = load_centre(Path(__file__).parents[3] / "config" / "binh-phuoc")
    for on in (shipped.opened_on, date(2017, 12, 4), date(2026, 7, 1)):
        kinds = {assigned(shipped, code, on).receiving for code in shipped.procedures}
        assert kinds == ({"department"} if on < date(2017, 12, 4) else {"department", "general"})
