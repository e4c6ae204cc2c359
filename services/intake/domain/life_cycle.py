"""The life cycle of a dossier: its states, and the rules of an act (who, from which state, to which).

Sources: states and national status numbers of Circulars 01/2018 and 03/2025; the acts are the product's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.kernel.vocabulary import Role, State

Target = State | Literal["stay", "back"]
"""Where an act leads: a state, `stay`, or `back` to the state before the pause."""

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
"""The status numbers of the national portal."""

PAUSED: frozenset[State] = frozenset({"supplement_required", "payment_required"})
FINAL: frozenset[State] = frozenset({"refused", "withdrawn", "stopped", "returned"})
IN_WORK: tuple[State, ...] = ("received", "processing")
OPEN: tuple[State, ...] = ("submitted", *IN_WORK, "supplement_required", "payment_required")
NOT_FINAL: tuple[State, ...] = (*OPEN, "settled")


def from_states(states: tuple[State, ...], target: Target) -> Mapping[State | None, Target]:
    """Return the `moves` of an act that each of `states` allows and that always leads to `target`."""
    return dict.fromkeys(states, target)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRule:
    """The rule of an act: which roles may do it, in which states, and where it leads.

    `moves` maps every state that allows the act to its target; None is the state before the submission. `form` is the
    form of Circular 03/2025 that the act issues. An act that `touches_clock` does so only after receipt, since no clock
    exists before. An act that `needs_due_date` is decided only when sla's due date reflects all earlier acts.
    """

    name: str
    moves: Mapping[State | None, Target]
    roles: frozenset[Role]
    form: str | None = None
    touches_clock: bool = False
    needs_due_date: bool = False

    def target(self, state: State | None, before_pause: State | None) -> State | None:
        """Return the state after the act, or None if `state` does not allow it.

        `before_pause` is the state to which the target `back` leads.
        """
        target = self.moves.get(state)
        if target == "stay":
            return state
        if target == "back":
            return before_pause or "submitted"
        return target
