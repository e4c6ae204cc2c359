"""The kinds of failure that motcua distinguishes.

A rule does not allow a request (`Refusal`), a system does not answer (`TransientError`), a record cannot be decoded
(`PoisonMessageError`), or the process cannot start (`StartError`). Each refusal has its own class, whose docstring is
the message to the client. The classes do not depend on HTTP: the table KINDS in `shared.service.problems` maps each
one to a status, a meaning and a remedy.
"""

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class MotcuaError(Exception):
    """The root of every error that motcua raises on purpose."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One invalid place in a request: `pointer` is a JSON pointer (RFC 6901), `detail` a sentence."""

    pointer: str
    detail: str


class Refusal(MotcuaError):  # noqa: N818 - what it is, not a failure; its subclasses end in Error
    """A rule does not allow the request. Answered as a problem (RFC 9457); never retried and never logged as a failure.

    The first paragraph of a subclass's docstring is the message: a `str.format` template, filled with the keyword
    arguments. A `detail` that is passed replaces the message. `allowed` lists what would be accepted instead, `errors`
    the invalid places. `MEMBERS` names the keyword arguments that become members of the problem document.
    """

    name: ClassVar[str] = "refusal"
    """The failure's name, which ends the problem's type: the class name in kebab case, without `Error`."""
    MEMBERS: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__.removesuffix("Error")).lower()

    def __init__(
        self,
        detail: str | None = None,
        *,
        allowed: Sequence[str] = (),
        errors: Sequence[FieldError] = (),
        pointer: str | None = None,
        **fields: object,
    ) -> None:
        """Create the refusal. `pointer` adds one invalid place to `errors`, with the refusal's message."""
        template = (inspect.getdoc(type(self)) or "").split("\n\n")[0].replace("\n", " ")
        self.detail = template.format(**fields) if detail is None else detail
        super().__init__(self.detail)
        self.allowed = tuple(allowed)
        self.errors = (*errors, *([] if pointer is None else [FieldError(pointer, self.detail)]))
        self.members = {name: fields[name] for name in self.MEMBERS if name in fields}


class InvalidContentError(Refusal):
    """The content is invalid."""


class ForbiddenError(Refusal):
    """The role of this API key does not allow this."""


class KeyReusedError(Refusal):
    """This Idempotency-Key was used for another request. Use a new key."""


class DossierNotFoundError(Refusal):
    """Dossier not found, or outside the scope of this API key."""


class DepartmentUnknownError(Refusal):
    """The centre has no department {department}."""


class ProcedureUnknownError(Refusal):
    """The catalogue has no procedure {procedure}."""


class ProposalNotFoundError(Refusal):
    """Proposal not found."""


class ProposalDecidedError(Refusal):
    """The proposal is already decided."""


class CalendarNotAvailableError(Refusal):
    """The working calendar is not available here yet. Retry in a moment."""


class DateOutsideCalendarError(Refusal):
    """The date is outside the calendar."""


class ClockNotSimulatedError(Refusal):
    """This centre has a system clock, which cannot be advanced."""


class RecordNotQuarantinedError(Refusal):
    """No record is quarantined at {where}. A decision about it may already be executed."""


class NotDecidableError(Refusal):
    """No operator decision is possible about this quarantined record."""


class TransientError(MotcuaError):
    """The database, the broker or a provider did not answer. Workers retry; an HTTP request is answered with 503."""


class PoisonMessageError(MotcuaError):
    """A record cannot be decoded, now or later. It is parked without a retry."""


def public_text(error: BaseException) -> str:
    """Return what may be shown of an error without an API key: the message of an own error, otherwise only its type.

    The message of an unexpected error may contain values of a row or record.
    """
    return str(error) if isinstance(error, MotcuaError) else f"{type(error).__name__}; see the log"


class StartError(MotcuaError):
    """The process cannot start as configured. The message names what is wrong, where, and the remedy. Exit status 3."""
