"""What each role may do, and which personal data it may see. Roles come from API keys."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from services.intake.domain.dossier import Dossier
from services.intake.domain.errors import ActorDiffersError, NotCompetentError, NotOwnCounterError, NotYoursError
from services.intake.domain.life_cycle import IN_WORK, ActRule
from shared.kernel.errors import ForbiddenError, InvalidContentError
from shared.kernel.vocabulary import Channel, Role

STAFF: frozenset[Role] = frozenset({"clerk", "officer", "leader", "ops", "auditor", "service"})
"""The roles that may look a dossier up by its code; a code alone shows an applicant nothing."""

_SEE_PERSONAL_DATA: frozenset[Role] = frozenset({"applicant", "clerk", "officer", "leader", "auditor"})
"""A service gets a contact only by a recorded look-up; ops sees none."""

_SHOWN_TO_APPLICANTS = frozenset({"reason", "missing_papers_reason", "papers"})
"""Details that concern the applicant; notes and signatures of the control slip are internal."""


class Actor(Protocol):
    """The attributes of an actor that these rules read."""

    @property
    def id(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def department(self) -> str | None: ...
    @property
    def counter(self) -> int | None: ...


def check_role(act: ActRule, role: Role) -> None:
    """Raise ForbiddenError unless the role is one of those that may do this act."""
    if role not in act.roles:
        roles = ", ".join(sorted(act.roles))
        raise ForbiddenError(f"The act {act.name} needs one of the roles {roles}. This API key has the role {role}.")


def check_actor(act: ActRule, actor: Actor, dossier: Dossier) -> None:
    """Raise a Refusal (403) if this actor may not do the act on this dossier; the role is checked by check_role.

    An officer acts only for the competent department, a clerk does not ask for papers after receipt, and an applicant
    acts only on dossiers that the same API key submitted.
    """
    if actor.role == "officer" and (dossier.department is None or actor.department != dossier.department):
        raise NotCompetentError(act=act.name)
    if actor.role == "clerk" and act.name == "ask_supplement" and dossier.state in IN_WORK:
        raise ForbiddenError("After receipt, only an officer of the competent department asks for papers.")
    if actor.role == "applicant" and dossier.state is not None and dossier.submitted_by != actor.id:
        raise NotYoursError


def sees_personal_data(role: Role) -> bool:
    """Return whether this role may see names, contacts and free text when it reads a dossier."""
    return role in _SEE_PERSONAL_DATA


def visible_details(role: Role, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an act's free text and signatures (`details`) that this role may see."""
    if not sees_personal_data(role):
        return {}
    return {name: text for name, text in details.items() if role != "applicant" or name in _SHOWN_TO_APPLICANTS}


def check_named_actor(key: Actor, named: Mapping[str, object]) -> None:
    """Raise ActorDiffersError if the actor that a request names is not the API key's own (`key`).

    Only id, role, department and counter are compared, and only if they are in `named`. So `{"id": "clerk-5"}` is
    enough.
    """
    own = {"id": key.id, "role": key.role, "department": key.department, "counter": key.counter}
    differing = sorted(name for name, value in named.items() if value is not None and own.get(name, value) != value)
    if differing:
        raise ActorDiffersError(members=", ".join(differing))


def imported_actor(actor_id: str | None, role: str | None, acting_roles: Collection[Role]) -> tuple[str, Role]:
    """Return id and role of the actor that an importer's request names.

    Raises InvalidContentError if one of the two is missing, or if the role may do no act.
    """
    if actor_id is None:
        raise InvalidContentError("Name the actor: id, role, and department or counter.", pointer="/actor/id")
    found = next((one for one in acting_roles if one == role), None)
    if found is None:
        detail = f"Name the actor's role: one of {', '.join(sorted(acting_roles))}."
        raise InvalidContentError(detail, pointer="/actor/role")
    return actor_id, found


def own_counter(actor: Actor, named: int | None) -> int | None:
    """Return the counter of an act: a clerk's own counter, or without one, the named counter, which may be None.

    Other roles have no counter of their own. Raises NotOwnCounterError if a clerk names another counter.
    """
    if actor.role == "clerk" and actor.counter is not None:
        if named not in (None, actor.counter):
            raise NotOwnCounterError(own=actor.counter, named=named)
        return actor.counter
    return named


def submission_channel(role: Role, channel: Channel | None, counter: int | None) -> Channel:
    """Return the channel of a submission: the named one, else `online` for an applicant and `counter` for others.

    Raises ForbiddenError if an applicant names another channel than `online`, since the centre states what came to a
    counter or by post, and the volume of the general counter counts it. Raises InvalidContentError for a counter with
    any channel but `counter`.
    """
    if role == "applicant" and channel not in (None, "online"):
        raise ForbiddenError(f"An applicant submits online. The channel {channel} needs the role clerk.")
    found = channel or ("online" if role == "applicant" else "counter")
    if counter is not None and found != "counter":
        detail = f"A submission by the channel {found} has no counter. Omit it."
        raise InvalidContentError(detail, pointer="/data/counter")
    return found
