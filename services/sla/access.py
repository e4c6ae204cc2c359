"""Whose dossiers somebody sees."""

from shared.kernel.errors import ExpectedError, FieldError
from shared.runtime.keys import Principal


def own_department(who: Principal, asked: str | None) -> str | None:
    """An officer sees the own department alone; asking for another one is refused."""
    if who.actor.role != "officer":
        return asked
    own = who.actor.department
    if asked not in (None, own):
        wrong = f"an officer of {own} sees the dossiers of {own} alone"
        raise ExpectedError("forbidden", wrong, status=403, errors=[FieldError("/query/department", wrong)])
    return own
