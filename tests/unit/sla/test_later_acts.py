"""What extensions, further steps and reopenings do to a clock's row and what is told of them."""

from datetime import date

from tests.unit.sla.desk import Desk
from tests.unit.sla.given import Acts, local


def test_extension_sets_a_later_date_and_is_kept() -> None:
    """By working days and by a date; the row gives the same facts back, so that the date can be derived again."""
    acts = Acts()
    desk = Desk().hear(acts.receive("2017-11-06 07:00"), acts.extend("2017-11-07 07:00", 2))
    desk.hear(acts.extend("2017-11-08 07:00", date(2017, 11, 16)))
    assert (desk.types(), local(desk.last.due_at)) == (["set", "set", "set"], "2017-11-16 17:00")
    assert [(fact.working_days, fact.to_date) for fact in desk.row.clock_facts()[1:]] == [
        (2, None),
        (None, date(2017, 11, 16)),
    ]


def test_extension_recorded_late_takes_back_what_was_told() -> None:
    """It came before the due date, as its own instant says; that the date was reached is taken back."""
    acts = Acts()
    desk = Desk().hear(acts.receive("2017-11-06 07:00")).tick("2017-11-10 17:00")
    desk.hear(acts.extend("2017-11-10 16:00", 1, recorded="2017-11-10 17:30"))
    assert desk.types()[-2:] == ["retracted", "set"]
    assert local(desk.last.due_at) == "2017-11-13 17:00"


def test_reopened_dossier_has_its_rest_of_time() -> None:
    """Settled with two days left, reopened a week later: the time between did not count."""
    acts = Acts()
    desk = Desk().hear(
        acts.receive("2017-11-06 07:00"), acts.settle("2017-11-09 07:00"), acts.reopen("2017-11-16 07:00")
    )
    assert (desk.types(), local(desk.last.due_at)) == (["set", "ended", "set"], "2017-11-17 17:00")
    desk.hear(acts.settle("2017-11-20 08:00"))
    assert (desk.last.how, desk.last.outcome) == ("settled", "late")


def test_further_step_changes_the_department_and_tells_nothing() -> None:
    """Who works on a dossier makes no difference to its due date."""
    acts = Acts()
    desk = Desk().hear(acts.receive("2017-11-06 07:00"), acts.begin_step("2017-11-07 07:00", 2))
    assert (desk.types(), desk.row.department, desk.row.clock_facts()[-1].step) == (["set"], "STC", 2)
