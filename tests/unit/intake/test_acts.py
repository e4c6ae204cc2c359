"""The life cycle: every act in every state."""

from pathlib import Path
from typing import get_args

import pytest

from services.intake.domain.acts import (
    ACTS,
    FINAL,
    NATIONAL_STATUS,
    Act,
    State,
    allowed_in,
    find_act,
    move,
)
from shared.kernel.errors import Refusal
from shared.service.problems import status_of

STATES: tuple[State, ...] = get_args(State)

# Written from the domain's text, not from the table under test: act, then where it leads from each state that takes it.
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
def test_act_leads_where_the_table_says_or_is_refused(act: str, state: State) -> None:
    """An act moves a dossier exactly as the table says; in any other state it is refused with what is allowed."""
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
@pytest.mark.parametrize("came_from", ["submitted", "received", "processing"])
@pytest.mark.parametrize("act", COMES_BACK)
def test_a_pause_ends_in_the_state_that_it_came_from(act: str, came_from: State, state: State) -> None:
    """`supplement_received` and `paid` lead back, and only from their own pause."""
    if state == COMES_BACK[act]:
        assert move(ACTS[act], state, came_from) == came_from
    else:
        with pytest.raises(Refusal):
            move(ACTS[act], state, came_from)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_final_state_takes_nothing(state: State) -> None:
    """Refused, withdrawn, stopped and returned are final."""
    assert allowed_in(state) == ()


def test_every_act_of_the_table_is_covered_here() -> None:
    """A new act needs its line in this file."""
    assert set(ACTS) == {"submit", *LEADS, *STAY, *COMES_BACK}


def test_submit_comes_before_every_state() -> None:
    """Only what does not exist can be submitted."""
    assert allowed_in(None) == ("submit",)
    assert all("submit" not in allowed_in(state) for state in STATES)


def test_an_unknown_act_is_refused_by_name() -> None:
    """404, listing the acts there are."""
    with pytest.raises(Refusal, match="'settel' is not an act") as refusal:
        find_act("settel")
    assert status_of(refusal.value) == 404
    assert "settle" in refusal.value.allowed


def test_every_state_has_its_national_status() -> None:
    """Numbers 1 to 10 of the national portal, each once."""
    assert sorted(NATIONAL_STATUS) == sorted(STATES)
    assert sorted(NATIONAL_STATUS.values()) == list(range(1, 11))


@pytest.mark.parametrize("act", ACTS.values(), ids=lambda act: str(act.name))
def test_the_documented_table_is_this_one(act: Act) -> None:
    """`docs/acts.md` has the act's row, word by word."""
    takes = ", ".join([*(f"`{name}`" for name in act.needs), *(f"[`{name}`]" for name in act.may)]) or "nothing"
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
