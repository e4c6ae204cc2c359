"""The actor of an act: the key's own, or the one that an importer names."""

from typing import Any

import pytest

from services.intake.dossiers.block import actor_of
from services.intake.dossiers.schemas import parse_act
from shared.contracts.envelope import Actor
from shared.kernel.errors import Refusal
from shared.service.problems import status_of

IMPORTER = Actor(kind="system", id="importer", role="importer")
CLERK = Actor(kind="person", id="clerk-2", role="clerk", counter=2)


def who(key: Actor, *, simulated: bool = True, **actor: Any) -> Actor:
    """The actor of an act that names these members of an actor."""
    return actor_of(key, parse_act({"key": "k", "act": "take_over", "actor": actor}), is_simulated=simulated)


def test_importer_acts_as_the_named_actor() -> None:
    """The event names who acted then, not the importer; the default kind is a person."""
    named = who(IMPORTER, id="officer-7", role="officer", department="STP")
    assert named == Actor(kind="person", id="officer-7", role="officer", department="STP")


@pytest.mark.parametrize(
    ("actor", "pointer"),
    [({"role": "clerk"}, "/actor/id"), ({"id": "x"}, "/actor/role"), ({"id": "x", "role": "importer"}, "/actor/role")],
)
def test_importer_without_an_acting_role_is_refused(actor: dict[str, Any], pointer: str) -> None:
    """An act is checked by id and role of its actor, and importing is not an act."""
    with pytest.raises(Refusal) as refusal:
        who(IMPORTER, **actor)
    assert (status_of(refusal.value), refusal.value.errors[0].pointer) == (422, pointer)


def test_importer_on_a_system_clock_is_refused() -> None:
    """Only a centre with a simulated clock accepts acts in the name of others."""
    with pytest.raises(Refusal, match="simulated clock") as refusal:
        who(IMPORTER, simulated=False, id="clerk-2", role="clerk", counter=2)
    assert status_of(refusal.value) == 403


@pytest.mark.parametrize("simulated", [True, False])
def test_other_keys_act_as_themselves(simulated: bool) -> None:
    """A differing actor is refused with any clock."""
    assert who(CLERK, simulated=simulated, id="clerk-2") == CLERK
    with pytest.raises(Refusal, match="API key's own"):
        who(CLERK, simulated=simulated, id="clerk-3")
