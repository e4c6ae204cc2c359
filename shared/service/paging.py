"""Lists over HTTP in pages, the same in every service."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from shared.service.http import Body

R = TypeVar("R")
T = TypeVar("T")

MAX_PAGE = 500


class PageQuery(Body):
    """Which page of a list: the one after the key `after`, with at most `limit` items."""

    after: UUID | None = Field(default=None, description="The `next` of the previous page.")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE)


class Page(BaseModel, Generic[T]):
    """One page of a list in key order. `next` is the `after` of the next page; null on the last page."""

    items: list[T]
    next: UUID | None


def page_of(rows: Sequence[R], limit: int, *, key: Callable[[R], UUID], view: Callable[[R], T]) -> Page[T]:
    """Return the page of at most `limit` items from rows that were read with a limit of `limit + 1`.

    The extra row is not shown; it means that a next page exists. `key` returns a row's key, `view` its item.
    """
    shown = rows[:limit]
    return Page(items=[view(row) for row in shown], next=key(shown[-1]) if len(rows) > limit else None)
