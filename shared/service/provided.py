"""FastAPI dependencies that give a module's routes the objects of the running process, by type.

A route declares `performer: Annotated[Performer, Depends(provided(Performer))]`, and `app.py` lists the object in
`Parts.provides`.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from fastapi import FastAPI, Request

T = TypeVar("T")


def provide(app: FastAPI, parts: Iterable[object]) -> None:
    """Make `parts` available to the routes of `app`, one object per exact type, instead of those provided before.

    Raises ValueError if two have the same type.
    """
    provided: dict[type[object], object] = {}
    for part in parts:
        if type(part) in provided:
            raise ValueError(f"Two objects of type {type(part).__name__} are provided; routes find one per type.")
        provided[type(part)] = part
    app.state.provided = provided


def provided(kind: type[T]) -> Callable[[Request], Awaitable[T]]:
    """Return a FastAPI dependency that returns the process's object of exactly this type.

    At the request, it raises KeyError if `app.py` did not list such an object.
    """

    async def find(request: Request) -> T:
        found: T = request.app.state.provided[kind]
        return found

    return find
