"""The life cycle as one table: every act, the states it is allowed in, what it moves, who may do it, what it takes.

Source: the states and national status numbers of Circular 01/2018 and 03/2025; the acts are the product's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.kernel.errors import ExpectedError

State = Literal[
    "submitted",
    "received",
    "processing",
    "supplement_required",
    "payment_required",
    "settled",
    "refused",
    "withdrawn",
    "stopped",
    "returned",
]
Role = Literal["applicant", "clerk", "officer", "leader", "ops", "auditor", "service", "importer"]
Move = State | Literal["stay", "back"]
"""Where an act leads: a state, `stay`, or `back` to the state that the dossier came from."""

NATIONAL_STATUS: Mapping[State, int] = {
    "submitted": 1,
    "received": 2,
    "refused": 3,
    "processing": 4,
    "supplement_required": 5,
    "payment_required": 6,
    "withdrawn": 7,
    "stopped": 8,
    "settled": 9,
    "returned": 10,
}
FINAL: frozenset[State] = frozenset({"refused", "withdrawn", "stopped", "returned"})

_OPEN: tuple[State, ...] = ("submitted", "received", "processing", "supplement_required", "payment_required")
_IN_WORK: tuple[State, ...] = ("received", "processing")


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the table.

    `moves` holds every state in which the act is allowed and where it leads. `needs` and `may` name the members of its
    data. `form` is the form of Circular 03/2025 whose issue belongs to the act. `touches_clock` holds after receipt
    only: before it there is no clock. An act that is `judged_by_clock` needs the due date that now stands.
    """

    name: str
    moves: Mapping[State | None, Move]
    roles: frozenset[Role]
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    form: str | None = None
    touches_clock: bool = False
    judged_by_clock: bool = False


def _from(states: tuple[State, ...], to: Move) -> Mapping[State | None, Move]:
    return dict.fromkeys(states, to)


def _by(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


_TABLE = (
    Act(
        "submit",
        {None: "submitted"},
        _by("applicant", "clerk"),
        needs=("procedure",),
        may=("department", "channel", "counter", "applicant", "documents", "foreign_codes", "receive"),
    ),
    Act(
        "receive",
        {"submitted": "received"},
        _by("clerk"),
        may=("department", "counter", "missing_papers_reason"),
        form="01",
        touches_clock=True,
    ),
    Act("refuse", {"submitted": "refused"}, _by("clerk"), needs=("reason",), form="03"),
    Act("take_over", {"received": "processing"}, _by("officer")),
    Act(
        "ask_supplement",
        _from(("submitted", *_IN_WORK), "supplement_required"),
        _by("clerk", "officer"),
        needs=("papers",),
        may=("reason",),
        form="02",
        touches_clock=True,
    ),
    Act(
        "supplement_received",
        {"supplement_required": "back"},
        _by("clerk"),
        may=("documents",),
        touches_clock=True,
    ),
    Act(
        "ask_payment",
        _from(_IN_WORK, "payment_required"),
        _by("officer"),
        needs=("amount_vnd",),
        may=("reason",),
        touches_clock=True,
    ),
    Act("paid", {"payment_required": "back"}, _by("clerk"), touches_clock=True),
    Act(
        "settle",
        _from(_IN_WORK, "settled"),
        _by("officer"),
        needs=("outcome",),
        may=("electronic_result", "reason"),
        touches_clock=True,
    ),
    Act(
        "stop",
        _from((*_IN_WORK, "supplement_required", "payment_required"), "stopped"),
        _by("officer"),
        needs=("reason",),
        form="05",
        touches_clock=True,
    ),
    Act("withdraw", _from(_OPEN, "withdrawn"), _by("applicant", "clerk"), may=("reason",), touches_clock=True),
    Act("return_result", {"settled": "returned"}, _by("clerk"), needs=("way",)),
    Act(
        "record_step",
        _from((*_OPEN, "settled"), "stay"),
        _by("clerk", "officer"),
        needs=("activity",),
        may=("group", "note"),
    ),
    Act("hand_over", _from((*_OPEN, "settled"), "stay"), _by("clerk"), needs=("batch", "given_by", "taken_by")),
    Act("result_arrived", _from((*_OPEN, "settled"), "stay"), _by("clerk")),
    Act("correct_contact", _from((*_OPEN, "settled"), "stay"), _by("applicant", "clerk"), needs=("applicant",)),
    Act(
        "extend",
        {"processing": "stay"},
        _by("officer"),
        needs=("reason",),
        may=("working_days", "to_date"),
        form="04",
        touches_clock=True,
        judged_by_clock=True,
    ),
    Act("next_step", {"processing": "stay"}, _by("officer"), may=("department",)),
    Act("reopen", {"settled": "processing"}, _by("leader"), needs=("reason",), touches_clock=True),
)
ACTS: Mapping[str, Act] = {act.name: act for act in _TABLE}


def allowed_in(state: State | None) -> tuple[str, ...]:
    """The acts that a dossier in this state takes, in the table's order; `None` is before its submission."""
    return tuple(act.name for act in _TABLE if state in act.moves)


def find_act(name: str) -> Act:
    """The act of that name. Raises Refusal (404), naming the acts there are, for any other name."""
    act = ACTS.get(name)
    if act is None:
        raise ExpectedError("unknown-act", f"{name!r} is not an act", status=404, allowed=tuple(ACTS))
    return act


def move(act: Act, state: State, came_from: State | None) -> State:
    """The state after the act. Raises Refusal (409) naming the present state and what it allows."""
    to = act.moves.get(state)
    if to is None:
        allowed = allowed_in(state)
        may = f"what is allowed now: {', '.join(allowed)}" if allowed else "the state is final, nothing is allowed"
        raise ExpectedError(
            "act-not-allowed",
            f"the dossier is {state}, which does not take {act.name}; {may}",
            allowed=allowed,
            more={"state": state},
        )
    if to == "stay":
        return state
    if to == "back":
        return came_from or "submitted"
    return to
