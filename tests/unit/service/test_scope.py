"""Which dossiers the owner of an API key may see."""

from datetime import date
from pathlib import Path

import pytest

from shared.catalogue import load_centre
from shared.contracts.envelope import Actor
from shared.kernel.centre import Centre
from shared.kernel.vocabulary import Role
from shared.service.scope import Scope
from tests.support.centre_folder import write_centre

ON = date(2018, 1, 2)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """The small centre: counter 3 belongs to STC, counter 5 is the general counter."""
    return load_centre(write_centre(Path(tmp_path_factory.mktemp("centre"))))


def actor(role: Role, *, department: str | None = None, counter: int | None = None) -> Actor:
    """An actor with that role."""
    return Actor(kind="person", id="x", role=role, department=department, counter=counter)


@pytest.mark.parametrize(
    ("who", "own", "others", "waiting"),
    [
        (actor("officer", department="STC"), True, False, False),
        (actor("clerk", counter=3), True, False, True),
        (actor("clerk", counter=5), True, True, True),
        (actor("clerk", counter=99), False, False, False),
        (actor("leader"), True, True, True),
        (actor("auditor"), True, True, True),
        (actor("service"), True, True, True),
        (actor("ops"), True, True, True),
        (actor("applicant"), False, False, False),
        (actor("importer"), False, False, False),
    ],
    ids=lambda value: f"{value.role}{value.counter or ''}" if isinstance(value, Actor) else str(value),
)
def test_scope_contains_dossiers_by_role(centre: Centre, who: Actor, own: bool, others: bool, waiting: bool) -> None:
    """Each role sees its own department's dossiers (STC), another's (CA) and waiting ones (None) as listed."""
    scope = Scope(who, centre, ON)
    assert [scope.sees(department=code) for code in ("STC", "CA", None)] == [own, others, waiting]
