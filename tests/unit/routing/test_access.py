"""A department's key sees only its own; a counter's sees what it receives."""

from datetime import date
from pathlib import Path

import pytest

from services.routing.access import may_read_dossier_of
from shared.catalogue import load_centre
from shared.contracts.envelope import Actor, Role
from shared.kernel.centre import Centre
from shared.service.keys import Principal
from tests.support.centre_folder import write_centre

ON = date(2018, 1, 2)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """The small centre: counter 3 is STC's, counter 5 the general one."""
    return load_centre(write_centre(Path(tmp_path_factory.mktemp("centre"))))


def caller(role: Role, *, department: str | None = None, counter: int | None = None) -> Principal:
    """A key of that role."""
    return Principal(Actor(kind="person", id="x", role=role, department=department, counter=counter))


@pytest.mark.parametrize(
    ("who", "own", "others", "waiting"),
    [
        (caller("officer", department="STC"), True, False, False),
        (caller("clerk", counter=3), True, False, True),
        (caller("clerk", counter=5), True, True, True),
        (caller("clerk", counter=99), False, False, False),
        (caller("leader"), True, True, True),
        (caller("auditor"), True, True, True),
        (caller("service"), True, True, True),
        (caller("ops"), True, True, True),
        (caller("applicant"), False, False, False),
        (caller("importer"), False, False, False),
    ],
    ids=lambda value: f"{value.actor.role}{value.actor.counter or ''}" if isinstance(value, Principal) else str(value),
)
def test_who_reads_whose_dossiers(centre: Centre, who: Principal, own: bool, others: bool, waiting: bool) -> None:
    """STC is the own department in each case, CA another one; a waiting dossier has none yet."""
    assert [may_read_dossier_of(who, code, centre, ON) for code in ("STC", "CA", None)] == [own, others, waiting]
