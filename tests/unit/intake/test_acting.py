"""Who does the act of a line: the key's own actor, or the one that an importer names."""

from typing import Any

import pytest

from services.intake.deciding import acting
from services.intake.requests import read_line
from shared.contracts.envelope import Actor
from shared.kernel.errors import Refusal
from shared.service.problems import status_of

IMPORTER = Actor(kind="system", id="importer", role="importer")
CLERK = Actor(kind="person", id="clerk-2", role="clerk", counter=2)


def who(key: Actor, *, played: bool = True, **actor: Any) -> Actor:
    return acting(key, read_line({"key": "k", "act": "take_over", "actor": actor}), played=played)


def test_an_importers_line_is_the_named_actors() -> None:
    """The event names who acted then, not who played it; nothing said of its kind means a person."""
    named = who(IMPORTER, id="officer-7", role="officer", department="STP")
    assert named == Actor(kind="person", id="officer-7", role="officer", department="STP")


@pytest.mark.parametrize(
    ("actor", "pointer"),
    [({"role": "clerk"}, "/actor/id"), ({"id": "x"}, "/actor/role"), ({"id": "x", "role": "importer"}, "/actor/role")],
)
def test_an_importer_names_an_actor_in_a_role_that_acts(actor: dict[str, Any], pointer: str) -> None:
    """Without a name nobody could be judged, and importing is no act."""
    with pytest.raises(Refusal) as refusal:
        who(IMPORTER, **actor)
    assert (status_of(refusal.value), refusal.value.errors[0].pointer) == (422, pointer)


def test_an_importer_acts_on_a_set_centre_alone() -> None:
    """On one of the present nobody speaks for others."""
    with pytest.raises(Refusal, match="time is set") as refusal:
        who(IMPORTER, played=False, id="clerk-2", role="clerk", counter=2)
    assert status_of(refusal.value) == 403


@pytest.mark.parametrize("played", [True, False])
def test_every_other_key_speaks_for_itself(played: bool) -> None:
    """A differing actor is refused, on a set centre, too."""
    assert who(CLERK, played=played, id="clerk-2") == CLERK
    with pytest.raises(Refusal, match="the key's own"):
        who(CLERK, played=played, id="clerk-3")
