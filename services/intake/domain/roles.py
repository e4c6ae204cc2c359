"""Who may do what, and who sees what.

Roles come from API keys; an actor that a request names must be the key's own.
"""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from services.intake.domain.acts import ACTS, Act, Role, State
from shared.kernel.errors import ExpectedError, FieldError, Refusal

Channel = Literal["online", "counter", "post"]

READERS: frozenset[Role] = frozenset({"applicant", "clerk", "officer", "leader", "ops", "auditor", "service"})
STAFF: frozenset[Role] = frozenset({"clerk", "officer", "leader", "ops", "auditor", "service"})
"""Those who may look a dossier up by its code; a code alone shows an applicant nothing."""

_SEE_PERSONAL_DATA: frozenset[Role] = frozenset({"applicant", "clerk", "officer", "leader", "auditor"})
"""A service gets a contact by look-up only, one at a time and recorded; ops sees none."""

_TOLD_TO_APPLICANTS = frozenset({"reason", "missing_papers_reason", "papers"})
"""Details that say something to the applicant; notes and signatures of the control slip are the staff's own."""


class Actor(Protocol):
    """What the rules need to know of an actor."""

    @property
    def id(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def department(self) -> str | None: ...
    @property
    def counter(self) -> int | None: ...


def check_role(act: Act, role: Role) -> None:
    """Raises Refusal (403) where the role never does this act."""
    if role not in act.roles:
        may = ", ".join(sorted(act.roles))
        raise ExpectedError("role-may-not", f"{act.name} is for: {may}; this key's role is {role}", status=403)


def check_actor(
    act: Act, actor: Actor, *, state: State | None, department: str | None, submitted_by: str | None
) -> None:
    """Raises Refusal (403) where this actor may not do the act to this dossier.

    An officer acts for the competent department alone, a clerk asks for papers before receipt alone, and an applicant
    acts on what the same key submitted. `department` and `submitted_by` are the dossier's, `state` its present one.
    """
    if actor.role == "officer" and (department is None or actor.department != department):
        raise ExpectedError(
            "not-competent", f"{act.name} is for the competent department, which this key's is not", status=403
        )
    if actor.role == "clerk" and act.name == "ask_supplement" and state in {"received", "processing"}:
        raise ExpectedError(
            "role-may-not", "after receipt only an officer of the competent department asks for papers", status=403
        )
    if actor.role == "applicant" and state is not None and submitted_by != actor.id:
        raise ExpectedError("not-yours", "an applicant acts only on what the same key submitted", status=403)


def sees(actor: Actor, *, department: str | None, submitted_by: str | None) -> bool:
    """Whether the dossier exists as far as this actor is told."""
    if actor.role == "officer":
        return department is not None and actor.department == department
    if actor.role == "applicant":
        return submitted_by == actor.id
    return actor.role in READERS


def sees_personal_data(role: Role) -> bool:
    """Whether names, contacts and free text are shown to this role."""
    return role in _SEE_PERSONAL_DATA


def shown_details(role: Role, details: Mapping[str, Any]) -> dict[str, Any]:
    """What this role is shown of the free text that belongs to an act."""
    if not sees_personal_data(role):
        return {}
    return {name: text for name, text in details.items() if role != "applicant" or name in _TOLD_TO_APPLICANTS}


def check_named_actor(key: Actor, named: Mapping[str, object]) -> None:
    """Raises Refusal (403) where a request names an actor that is not the key's own.

    Only what is named is compared, so `{"id": "clerk-5"}` is enough.
    """
    own = {"id": key.id, "role": key.role, "department": key.department, "counter": key.counter}
    differing = sorted(name for name, value in named.items() if value is not None and own.get(name, value) != value)
    if differing:
        raise ExpectedError(
            "actor-differs", f"the actor is the key's own; {', '.join(differing)} of the named one differ", status=403
        )


def named_actor(actor_id: str | None, role: str | None) -> tuple[str, Role]:
    """Id and role of the actor that an importer names. Raises Refusal (422) where one lacks, or never acts."""
    acting = {one for act in ACTS.values() for one in act.roles}
    if actor_id is None:
        raise _no_actor("/actor/id", "an importer names who acted: by id and role, and by department or counter")
    found = next((one for one in acting if one == role), None)
    if found is None:
        raise _no_actor("/actor/role", f"an importer names who acted, in one of the roles {', '.join(sorted(acting))}")
    return actor_id, found


def _no_actor(pointer: str, detail: str) -> Refusal:
    return ExpectedError("invalid-content", detail, status=422, errors=[FieldError(pointer, detail)])


def own_counter(actor: Actor, named: int | None) -> int | None:
    """The counter of an act: a clerk's is the key's. Raises Refusal (403) where another one is named."""
    if actor.role == "clerk" and actor.counter is not None:
        if named not in (None, actor.counter):
            raise ExpectedError(
                "not-own-counter", f"this key acts at counter {actor.counter}, not at {named}", status=403
            )
        return actor.counter
    return named


def list_scope(
    actor: Actor, department: str | None, counter: int | None, *, every_counter: bool = False
) -> tuple[str | None, int | None]:
    """Whose dossiers a list shows (department, counter; None: all): an officer's own department's, a clerk's own
    counter's unless `every_counter`. Raises Refusal (403) where another one is named."""
    if actor.role == "officer":
        if department not in (None, actor.department):
            detail = f"an officer of {actor.department} sees the dossiers of {actor.department} alone"
            errors = [FieldError("/query/department", detail)]
            raise ExpectedError("forbidden", detail, status=403, errors=errors)
        return actor.department, counter
    return department, counter if every_counter else own_counter(actor, counter)


def submission_channel(role: Role, channel: Channel | None, counter: int | None) -> Channel:
    """By which channel a submission comes: an applicant's is online, a clerk's the counter unless said otherwise.

    Raises Refusal: 403 where an applicant names another channel (what comes over a counter or by post is the
    centre's to say, and counts for the general counter), 422 for a counter where none takes part.
    """
    if role == "applicant" and channel not in (None, "online"):
        raise ExpectedError("role-may-not", f"an applicant submits online; {channel} is for clerks", status=403)
    found = channel or ("online" if role == "applicant" else "counter")
    if counter is not None and found != "counter":
        detail = f"no counter takes part in a submission by channel {found}: leave it out"
        raise ExpectedError("invalid-content", detail, status=422, errors=[FieldError("/data/counter", detail)])
    return found
