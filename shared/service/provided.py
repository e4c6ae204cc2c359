"""FastAPI dependencies that give a module's routes the objects of the running process, by type.

A route declares `performer: Annotated[Performer, Depends(provided(Performer))]`, and `app.py` lists the object in
`Parts.provides`.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from fastapi import FastAPI, Request

T = TypeVar("T")


def provide(app: FastAPI, parts: Iterable[object]) -> None:
    """Make `parts` available to the routes of `app`, one object per exact type, instead of those provided before."""
    app.state.provided = {type(part): part for part in parts}


def provided(kind: type[T]) -> Callable[[Request], Awaitable[T]]:
    """Return a FastAPI dependency that returns the process's object of exactly this type.

    At the request, it raises KeyError if `app.py` did not list such an object.
    """

    async def find(request: Request) -> T:
        found: T = request.app.state.provided[kind]
        return found

    return find
