"""The life cycle: every act in every state, and the documented table of acts."""

from pathlib import Path
from pkgutil import iter_modules
from typing import get_args

import pytest

from services.intake.domain.life_cycle import FINAL, NATIONAL_STATUS
from services.intake.dossiers import acts
from services.intake.dossiers.act import Act
from services.intake.dossiers.registry import ACTS, allowed_in, find_act, move
from shared.kernel.errors import Refusal
from shared.kernel.vocabulary import State
from shared.service.problems import status_of

STATES: tuple[State, ...] = get_args(State)

# Taken from the description of the domain, not from the code: each act, and where it leads from each state.
LEADS: dict[str, dict[State, State]] = {
    "receive": {"submitted": "received"},
    "refuse": {"submitted": "refused"},
    "take_over": {"received": "processing"},
    "ask_supplement": dict.fromkeys(("submitted", "received", "processing"), "supplement_required"),
    "ask_payment": dict.fromkeys(("received", "processing"), "payment_required"),
    "settle": dict.fromkeys(("received", "processing"), "settled"),
    "stop": dict.fromkeys(("received", "processing", "supplement_required", "payment_required"), "stopped"),
    "withdraw": dict.fromkeys(
        ("submitted", "received", "processing", "supplement_required", "payment_required"), "withdrawn"
    ),
    "return_result": {"settled": "returned"},
    "extend": {"processing": "processing"},
    "next_step": {"processing": "processing"},
    "reopen": {"settled": "processing"},
}
STAY = ("record_step", "hand_over", "result_arrived", "correct_contact")
COMES_BACK = {"supplement_received": "supplement_required", "paid": "payment_required"}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("act", [*LEADS, *STAY])
def test_act_moves_as_documented_or_is_refused(act: str, state: State) -> None:
    """In a state that does not allow it, an act is refused with the state and the allowed acts."""
    stays = None if state in FINAL else state
    expected = stays if act in STAY else LEADS[act].get(state)
    if expected is not None:
        assert move(ACTS[act], state, None) == expected
        return
    with pytest.raises(Refusal) as refusal:
        move(ACTS[act], state, None)
    assert status_of(refusal.value) == 409
    assert state in refusal.value.detail
    assert refusal.value.allowed == allowed_in(state)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("before", ["submitted", "received", "processing"])
@pytest.mark.parametrize("act", COMES_BACK)
def test_pause_ends_in_the_state_before_it(act: str, before: State, state: State) -> None:
    """`supplement_received` and `paid` lead back, each only from its own pause."""
    if state == COMES_BACK[act]:
        assert move(ACTS[act], state, before) == before
    else:
        with pytest.raises(Refusal):
            move(ACTS[act], state, before)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_final_state_allows_no_act(state: State) -> None:
    """`refused`, `withdrawn`, `stopped` and `returned` are final."""
    assert allowed_in(state) == ()


def test_every_act_is_covered_here() -> None:
    """A new act needs its line in this file."""
    assert set(ACTS) == {"submit", *LEADS, *STAY, *COMES_BACK}


def test_every_module_of_an_act_is_registered_under_its_name() -> None:
    """One act is one module and one registration."""
    assert {module.name for module in iter_modules(acts.__path__)} == set(ACTS)


def test_submit_is_the_only_act_before_a_submission() -> None:
    """No state allows a second submission."""
    assert allowed_in(None) == ("submit",)
    assert all("submit" not in allowed_in(state) for state in STATES)


def test_unknown_act_is_refused_with_all_acts() -> None:
    """The status is 404."""
    with pytest.raises(Refusal, match="'settel' does not exist") as refusal:
        find_act("settel")
    assert status_of(refusal.value) == 404
    assert "settle" in refusal.value.allowed


def test_every_state_has_a_national_status() -> None:
    """The national portal has the numbers 1 to 10, each for one state."""
    assert sorted(NATIONAL_STATUS) == sorted(STATES)
    assert sorted(NATIONAL_STATUS.values()) == list(range(1, 11))


@pytest.mark.parametrize("act", ACTS.values(), ids=lambda act: str(act.name))
def test_act_is_documented(act: Act) -> None:
    """`docs/acts.md` has a row with the act's states, roles, data and form."""
    required = [name for name, field in act.data.model_fields.items() if field.is_required()]
    optional = [name for name in act.data.model_fields if name not in required]
    takes = ", ".join([*(f"`{name}`" for name in required), *(f"[`{name}`]" for name in optional)]) or "nothing"
    cells = (
        f"`{act.name}`",
        ", ".join(state or "nothing yet" for state in act.moves),
        ", ".join(dict.fromkeys(act.moves.values())),
        ", ".join(sorted(act.roles)),
        takes,
        act.form or "",
    )
    page = (Path(__file__).resolve().parents[3] / "docs" / "acts.md").read_text(encoding="utf-8")
    assert f"| {' | '.join(cells)} |" in page
