"""What each role may do and see."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from services.intake.domain.dossier import Dossier
from services.intake.domain.roles import (
    check_actor,
    check_named_actor,
    check_role,
    own_counter,
    sees_personal_data,
    submission_channel,
)
from services.intake.dossiers.act import intake_scope
from services.intake.dossiers.registry import ACTS
from shared.catalogue import load_centre
from shared.contracts.envelope import Actor
from shared.kernel.errors import Refusal
from shared.kernel.vocabulary import Channel, Role, State
from shared.service.problems import status_of

CENTRE = load_centre(Path(__file__).resolve().parents[3] / "config" / "binh-phuoc")

# Taken from the description of the domain, not from the code.
MAY: dict[str, set[str]] = {
    "applicant": {"submit", "withdraw", "correct_contact"},
    "clerk": {
        "submit",
        "receive",
        "refuse",
        "ask_supplement",
        "supplement_received",
        "paid",
        "hand_over",
        "result_arrived",
        "return_result",
        "record_step",
        "correct_contact",
        "withdraw",
    },
    "officer": {
        "take_over",
        "ask_supplement",
        "ask_payment",
        "record_step",
        "extend",
        "next_step",
        "stop",
        "settle",
    },
    "leader": {"reopen"},
}


@dataclass(frozen=True)
class Who:
    """An actor as an API key gives it."""

    role: Role
    id: str = "key-1"
    department: str | None = None
    counter: int | None = None


def dossier(state: State, *, department: str | None = "STP", submitted_by: str = "portal") -> Dossier:
    """A dossier in this state."""
    return Dossier(state=state, department=department, submitted_by=submitted_by)


@pytest.mark.parametrize("role", get_args(Role))
@pytest.mark.parametrize("act", ACTS)
def test_role_does_only_its_own_acts(act: str, role: Role) -> None:
    """ops, auditor and service do no act."""
    if act in MAY.get(role, ()):
        check_role(ACTS[act], role)
    else:
        with pytest.raises(Refusal) as refusal:
            check_role(ACTS[act], role)
        assert status_of(refusal.value) == 403


@pytest.mark.parametrize(("own", "competent"), [("STP", "SYT"), ("STP", None), (None, None)])
def test_officer_of_another_department_is_refused(own: str | None, competent: str | None) -> None:
    """Only an officer of the competent department acts; while it is unknown, none does."""
    with pytest.raises(Refusal) as refusal:
        check_actor(ACTS["settle"], Who("officer", department=own), dossier("processing", department=competent))
    assert status_of(refusal.value) == 403


@pytest.mark.parametrize("state", ["received", "processing"])
def test_clerk_asking_for_papers_after_receipt_is_refused(state: State) -> None:
    """The request would pause the clock, which only the department may do."""
    with pytest.raises(Refusal) as refusal:
        check_actor(ACTS["ask_supplement"], Who("clerk"), dossier(state))
    assert status_of(refusal.value) == 403


def test_clerk_asking_for_papers_before_receipt_is_allowed() -> None:
    """No clock exists before receipt."""
    check_actor(ACTS["ask_supplement"], Who("clerk"), dossier("submitted"))


def test_applicant_acts_only_on_own_submissions() -> None:
    """The submission of another key is refused."""
    check_actor(ACTS["withdraw"], Who("applicant"), dossier("submitted", department=None, submitted_by="key-1"))
    with pytest.raises(Refusal, match="own submissions"):
        check_actor(ACTS["withdraw"], Who("applicant"), dossier("submitted", department=None, submitted_by="key-2"))


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        (Who("clerk"), True),
        (Who("auditor"), True),
        (Who("ops"), True),
        (Who("service"), True),
        (Who("leader"), True),
        (Who("officer", department="STP"), True),
        (Who("officer", department="SYT"), False),
        (Who("applicant"), False),
        (Who("applicant", id="portal"), True),
        (Who("importer"), False),
    ],
)
def test_officer_and_applicant_see_only_their_own_dossiers(who: Who, seen: bool) -> None:
    """Clerks and other staff see every dossier; the key of a department or an applicant sees its own."""
    actor = Actor(kind="person", id=who.id, role=who.role, department=who.department, counter=who.counter)
    scope = intake_scope(actor, CENTRE, date(2017, 5, 2))
    assert scope.sees(department="STP", submitted_by="portal") is seen


def test_operators_and_services_see_no_personal_data() -> None:
    """A service gets contacts only by recorded look-ups, ops gets none."""
    assert {role for role in get_args(Role) if not sees_personal_data(role)} == {"ops", "service", "importer"}


@pytest.mark.parametrize(
    "named", [{"id": "key-2"}, {"role": "leader"}, {"department": "SYT"}, {"id": "key-1", "counter": 4}]
)
def test_actor_that_is_not_the_keys_own_is_refused(named: dict[str, object]) -> None:
    """No key acts in the name of another."""
    with pytest.raises(Refusal) as refusal:
        check_named_actor(Who("clerk", department="STP", counter=3), named)
    assert status_of(refusal.value) == 403


def test_named_actor_that_is_the_keys_own_is_accepted() -> None:
    """Only the named members are compared."""
    check_named_actor(Who("clerk", counter=3), {"id": "key-1", "counter": 3, "department": None})


def test_clerk_acts_at_the_own_counter() -> None:
    """The counter is the key's; another one is refused, and a key without a counter may name one."""
    assert own_counter(Who("clerk", counter=3), None) == 3
    assert own_counter(Who("clerk", counter=3), 3) == 3
    assert own_counter(Who("clerk"), 7) == 7
    with pytest.raises(Refusal, match="counter 3, not at counter 4"):
        own_counter(Who("clerk", counter=3), 4)


@pytest.mark.parametrize(
    ("role", "named", "channel"),
    [
        ("applicant", None, "online"),
        ("applicant", "online", "online"),
        ("clerk", None, "counter"),
        ("clerk", "post", "post"),
        ("clerk", "online", "online"),
    ],
)
def test_channel_defaults_by_role(role: Role, named: Channel | None, channel: Channel) -> None:
    """The default is `online` for an applicant and `counter` for a clerk."""
    assert submission_channel(role, named, None) == channel


@pytest.mark.parametrize("named", ["counter", "post"])
def test_applicant_naming_counter_or_post_is_refused(named: Channel) -> None:
    """Both count for the general counter's weekly volume, so only the centre may state them."""
    with pytest.raises(Refusal) as refusal:
        submission_channel("applicant", named, None)
    assert status_of(refusal.value) == 403


@pytest.mark.parametrize(("role", "named"), [("applicant", None), ("clerk", "post"), ("clerk", "online")])
def test_counter_of_a_submission_without_one_is_refused(role: Role, named: Channel | None) -> None:
    """The counter is not ignored."""
    with pytest.raises(Refusal) as refusal:
        submission_channel(role, named, 4)
    assert (status_of(refusal.value), refusal.value.errors[0].pointer) == (422, "/data/counter")
