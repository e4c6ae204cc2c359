"""The three kinds of failure that every part of the house tells apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class MotcuaError(Exception):
    """The root of every error that motcua raises on purpose."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One place in a request that is wrong: `pointer` is a JSON pointer (RFC 6901), `detail` a sentence."""

    pointer: str
    detail: str


class ExpectedError(MotcuaError):
    """A rule said no to a request. Answered as a problem (RFC 9457), never retried, never logged as a failure.

    `slug` ends the problem's type, `urn:motcua:problem:<slug>`; `status` is the HTTP status; `allowed` lists what
    would be accepted instead; `more` are further members of the problem document.
    """

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        status: int = 409,
        allowed: Sequence[str] = (),
        errors: Sequence[FieldError] = (),
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.status = status
        self.allowed = tuple(allowed)
        self.errors = tuple(errors)
        self.more = dict(more or {})


class TransientError(MotcuaError):
    """The database, the broker or a provider did not answer. Retried in place, never parked."""


class PoisonMessageError(MotcuaError):
    """Bytes that nobody can read. Parked at once."""


class StartError(MotcuaError):
    """The process cannot start as configured; the message says what, where and what to do. Exit status 3."""
