"""Whose dossiers somebody sees."""

from shared.kernel.centre import Centre
from shared.kernel.errors import ExpectedError, FieldError
from shared.service.keys import Principal


def own_department(who: Principal, asked: str | None) -> str | None:
    """An officer sees the own department alone; asking for another one is refused."""
    if who.actor.role != "officer":
        return asked
    own = who.actor.department
    if asked not in (None, own):
        wrong = f"an officer of {own} sees the dossiers of {own} alone"
        raise ExpectedError("forbidden", wrong, status=403, errors=[FieldError("/query/department", wrong)])
    return own


def require_department(asked: str | None, centre: Centre) -> None:
    """Raises Refusal (422) for a department that the centre has not and never had; None is everybody's.

    One that has ended is taken: its dossiers may still be open.
    """
    if asked is not None and asked not in centre.departments:
        wrong = f"{asked!r} is not a department of this centre"
        errors = [FieldError("/query/department", wrong)]
        raise ExpectedError("department-unknown", wrong, status=422, allowed=sorted(centre.departments), errors=errors)
