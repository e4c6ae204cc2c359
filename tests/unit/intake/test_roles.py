"""Who may do what, and who sees what."""

from dataclasses import dataclass
from typing import get_args

import pytest

from services.intake.domain.acts import ACTS, Role, State
from services.intake.domain.roles import (
    Channel,
    check_actor,
    check_named_actor,
    check_role,
    own_counter,
    sees,
    sees_personal_data,
    submission_channel,
)
from shared.kernel.errors import Refusal
from shared.service.problems import status_of

# Written from the domain's text, not from the table under test.
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


@pytest.mark.parametrize("role", get_args(Role))
@pytest.mark.parametrize("act", ACTS)
def test_each_role_does_its_own_acts_only(act: str, role: Role) -> None:
    """ops, auditor and service act on nothing."""
    if act in MAY.get(role, ()):
        check_role(ACTS[act], role)
    else:
        with pytest.raises(Refusal) as refusal:
            check_role(ACTS[act], role)
        assert status_of(refusal.value) == 403


@pytest.mark.parametrize(("own", "dossiers"), [("STP", "SYT"), ("STP", None), (None, None)])
def test_an_officer_of_another_department_is_refused(own: str | None, dossiers: str | None) -> None:
    """An officer acts for the competent department alone; while it is unknown, no officer acts."""
    with pytest.raises(Refusal) as refusal:
        check_actor(
            ACTS["settle"],
            Who("officer", department=own),
            state="processing",
            department=dossiers,
            submitted_by="portal",
        )
    assert status_of(refusal.value) == 403


@pytest.mark.parametrize("state", ["received", "processing"])
def test_after_receipt_a_clerk_asks_for_no_papers(state: State) -> None:
    """The request would stop the clock, which is the department's to do."""
    with pytest.raises(Refusal) as refusal:
        check_actor(ACTS["ask_supplement"], Who("clerk"), state=state, department="STP", submitted_by="portal")
    assert status_of(refusal.value) == 403


def test_before_receipt_a_clerk_asks_for_papers() -> None:
    """There is no clock yet."""
    check_actor(ACTS["ask_supplement"], Who("clerk"), state="submitted", department="STP", submitted_by="portal")


def test_an_applicant_acts_on_what_the_same_key_submitted() -> None:
    """Another applicant's dossier is out of reach."""
    check_actor(ACTS["withdraw"], Who("applicant"), state="submitted", department=None, submitted_by="key-1")
    with pytest.raises(Refusal, match="same key"):
        check_actor(ACTS["withdraw"], Who("applicant"), state="submitted", department=None, submitted_by="key-2")


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
def test_a_department_and_an_applicant_see_only_their_own(who: Who, seen: bool) -> None:
    """The centre's own staff sees every dossier; the key of a department or an applicant only its own."""
    assert sees(who, department="STP", submitted_by="portal") is seen


def test_operators_and_services_see_no_personal_data() -> None:
    """A service looks a contact up, one at a time and recorded; ops has no way to one."""
    assert {role for role in get_args(Role) if not sees_personal_data(role)} == {"ops", "service", "importer"}


@pytest.mark.parametrize(
    "named", [{"id": "key-2"}, {"role": "leader"}, {"department": "SYT"}, {"id": "key-1", "counter": 4}]
)
def test_an_actor_that_is_not_the_keys_own_is_refused(named: dict[str, object]) -> None:
    """Nobody acts in another's name."""
    with pytest.raises(Refusal) as refusal:
        check_named_actor(Who("clerk", department="STP", counter=3), named)
    assert status_of(refusal.value) == 403


def test_naming_oneself_is_fine() -> None:
    """Only what is named is compared."""
    check_named_actor(Who("clerk", counter=3), {"id": "key-1", "counter": 3, "department": None})


def test_a_clerk_acts_at_the_own_counter() -> None:
    """The counter is the key's; another one is refused, and a key without a counter names one."""
    assert own_counter(Who("clerk", counter=3), None) == 3
    assert own_counter(Who("clerk", counter=3), 3) == 3
    assert own_counter(Who("clerk"), 7) == 7
    with pytest.raises(Refusal, match="counter 3, not at 4"):
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
def test_a_channel_that_is_not_named_follows_from_the_role(role: Role, named: Channel | None, channel: Channel) -> None:
    """Applicants submit online, clerks at a counter unless they say otherwise."""
    assert submission_channel(role, named, None) == channel


@pytest.mark.parametrize("named", ["counter", "post"])
def test_an_applicant_cannot_claim_a_counter_or_the_post(named: Channel) -> None:
    """Both count for the general counter's weekly volume, so the centre alone says them."""
    with pytest.raises(Refusal) as refusal:
        submission_channel("applicant", named, None)
    assert status_of(refusal.value) == 403


@pytest.mark.parametrize(("role", "named"), [("applicant", None), ("clerk", "post"), ("clerk", "online")])
def test_a_counter_where_none_takes_part_is_refused(role: Role, named: Channel | None) -> None:
    """It is not dropped in silence."""
    with pytest.raises(Refusal) as refusal:
        submission_channel(role, named, 4)
    assert (status_of(refusal.value), refusal.value.errors[0].pointer) == (422, "/data/counter")
