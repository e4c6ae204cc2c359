"""The registry of all acts, and look-ups by name, by state and by event type."""

from collections.abc import Mapping

from services.intake.domain.errors import ActNotAllowedError, UnknownActError
from services.intake.domain.life_cycle import ActRule
from services.intake.dossiers.act import Act
from services.intake.dossiers.acts import (
    ask_payment,
    ask_supplement,
    correct_contact,
    extend,
    hand_over,
    next_step,
    paid,
    receive,
    record_step,
    refuse,
    reopen,
    result_arrived,
    return_result,
    settle,
    stop,
    submit,
    supplement_received,
    take_over,
    withdraw,
)
from shared.contracts.envelope import EventData
from shared.kernel.vocabulary import Role, State

ACTS: Mapping[str, Act] = {
    module.ACT.name: module.ACT
    for module in (
        submit,
        receive,
        refuse,
        take_over,
        ask_supplement,
        supplement_received,
        ask_payment,
        paid,
        settle,
        stop,
        withdraw,
        return_result,
        record_step,
        hand_over,
        result_arrived,
        correct_contact,
        extend,
        next_step,
        reopen,
    )
}
"""All acts by name, in the order of the documentation."""

ACT_OF_EVENT: Mapping[type[EventData], Act] = {act.event: act for act in ACTS.values()}
"""The act that publishes each event type. `dossier.received_elsewhere` has none: it accompanies a receipt."""

ACTING_ROLES: frozenset[Role] = frozenset(role for act in ACTS.values() for role in act.roles)


def allowed_in(state: State | None) -> tuple[str, ...]:
    """Return the names of the acts that a state allows, in the registry's order.

    `state` is None before the submission.
    """
    return tuple(act.name for act in ACTS.values() if state in act.moves)


def find_act(name: str) -> Act:
    """Return the act of that name. Raises UnknownActError, which lists all names."""
    act = ACTS.get(name)
    if act is None:
        raise UnknownActError(act=name, allowed=tuple(ACTS))
    return act


def move(act: ActRule, state: State | None, before_pause: State | None) -> State:
    """Return the state to which the act leads from `state`; changes nothing.

    `before_pause` is the state before the current pause, if any. Raises ActNotAllowedError, which lists the acts that
    `state` allows.
    """
    target = act.target(state, before_pause)
    if target is None:
        allowed = allowed_in(state)
        remedy = f"It allows {', '.join(allowed)}." if allowed else "The state is final and allows no act."
        raise ActNotAllowedError(state=state or "not submitted", act=act.name, remedy=remedy, allowed=allowed)
    return target
