"""Requests and responses of acts and dossiers, and the parser of acts.

An act is parsed without validation by the framework: a known idempotency key is answered before any other check.
"""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from services.intake.domain.codes import Reference, parse_code
from services.intake.dossiers.acts.submit import Submit
from services.intake.dossiers.fields import ActData, CounterNumber, ForeignCode, Word
from services.intake.dossiers.registry import ACTS
from shared.kernel.errors import InvalidContentError, Refusal
from shared.service import idempotency, problems
from shared.service.http import Body

MAX_WAIT_SECONDS = 30.0

_INSTANT = re.compile(r"2\d{3}-\d\d-\d\dT\d\d:\d\d.*", re.ASCII)
_KEY = re.compile(r"[!-~]{1,200}", re.ASCII)


def _check_instant(value: object) -> object:
    if not (isinstance(value, str) and _INSTANT.fullmatch(value)):
        raise ValueError("Write an instant such as 2026-03-02T08:30:00+07:00.")
    return value


OccurredAt = Annotated[AwareDatetime, BeforeValidator(_check_instant)]


class NamedActor(Body):
    """The actor that a request names: members that are named must be the API key's own.

    Only an importer names another actor, and does so for each act.
    """

    kind: Literal["person", "system"] | None = None
    id: Word | None = None
    role: Word | None = None
    department: Word | None = None
    counter: CounterNumber | None = None


class DossierReference(Body):
    """A dossier, named by exactly one of its id, its code and its code in another system."""

    id: UUID | None = None
    code: Annotated[str, StringConstraints(max_length=100)] | None = None
    foreign: ForeignCode | None = None

    @model_validator(mode="after")
    def _check_one(self) -> "DossierReference":
        if len(self.model_fields_set) != 1 or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError("A dossier is named by exactly one of id, code and foreign.")
        return self


class ActRequest(Body):
    """The body of an act on the dossier that the URL names."""

    occurred_at: OccurredAt | None = None
    actor: NamedActor = NamedActor()
    data: dict[str, Any] = Field(default_factory=dict)


class SubmitRequest(ActRequest):
    """The body of a submission. The client may choose the dossier's id (a UUIDv7) or give its foreign code."""

    dossier: DossierReference | None = None


class LineRequest(SubmitRequest):
    """One line of a batch: an act with its idempotency key and its dossier."""

    key: str
    act: str


class IssuedForm(BaseModel):
    """A form that the act issued: its kind, such as 01, and its number."""

    kind: str
    number: str


class ActResponse(BaseModel):
    """The response to an act that took effect; `sequence` is that of its last event.

    The same key always gets the same response.
    """

    dossier_id: UUID
    code: str | None
    sequence: int
    state: str
    occurred_at: str
    forms: list[IssuedForm] = Field(default_factory=list)


class ReadQuery(Body):
    """Whether a read waits for the due date, and for at most how many seconds.

    `reflecting` is the sequence in the response of the act that the due date must reflect; default: the last act.
    """

    wait_for: Literal["due_at"] | None = None
    reflecting: int = Field(default=2**62, ge=0, le=2**62)
    timeout: float = Field(default=10.0, ge=0, le=MAX_WAIT_SECONDS, allow_inf_nan=False)


class CodeQuery(Body):
    """A dossier's code to look up: with `system`, a code in that other system.

    Without `system`, it is a code of this centre, or if none matches, of any other system.
    """

    code: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")
    system: Word | None = None


class DifferingAssignment(BaseModel):
    """A dossier whose competent department (`department`) differs from the one that routing assigned (`by_routing`)."""

    dossier_id: UUID
    code: str | None
    state: str
    procedure: str
    department: str
    by_routing: str


@dataclass(frozen=True, slots=True)
class ParsedAct:
    """An act as it was read from the body of a single request or from a batch line.

    `foreign_codes` are the codes that a submission gives its dossier. An act with a `refusal` is refused with it,
    unless its key is known; the other fields have what could be read. If only the data are invalid, `data` is the
    Refusal: role, dossier and state are checked before it is raised.
    """

    key: str = ""
    act: str = ""
    reference: Reference | None = None
    foreign_codes: tuple[ForeignCode, ...] = ()
    occurred_at: datetime | None = None
    actor: NamedActor = field(default_factory=NamedActor)
    data: "ActData | Refusal | None" = None
    fingerprint: str = ""
    refusal: Refusal | None = None

    @property
    def names(self) -> set[str]:
        """Every name of the dossier that this act contains, such as `code/H10.18-170428-0001`.

        A later line may name the same dossier by any of them.
        """
        names = {f"foreign/{code.id}" for code in self.foreign_codes}
        return names if self.reference is None else names | {f"{self.reference.kind}/{self.reference.value}"}


def check_key(key: object, *, pointer: str = "/key") -> str:
    """Return the idempotency key. Raises InvalidContentError unless it is 1 to 200 visible ASCII characters."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        detail = "Every write needs an Idempotency-Key: 1 to 200 visible ASCII characters without personal data."
        raise InvalidContentError(detail, pointer=pointer)
    return key


def parse_act(raw: object) -> ParsedAct:
    """Return the act that a JSON value describes; never raises.

    An error becomes the act's `refusal`, an error in the member `data` becomes its `data`. Each error points at the
    member that is wrong.
    """
    if not isinstance(raw, dict):
        return ParsedAct(refusal=InvalidContentError("Send a JSON object."))
    readable: dict[str, Any] = {"fingerprint": fingerprint(raw)}
    try:
        readable["key"] = check_key(raw.get("key"))
        line = LineRequest.model_validate(raw)
        readable["reference"], readable["foreign_codes"] = _dossier(line)
    except ValidationError as error:
        # a refused line blocks later ones of its dossier, so the dossier is read even if the rest is invalid
        with contextlib.suppress(ValidationError, Refusal):
            named = SubmitRequest.model_validate({"dossier": raw.get("dossier")})
            readable["reference"], _ = _dossier(named)
        return ParsedAct(**readable, refusal=problems.invalid(error.errors(include_input=False, include_url=False)))
    except Refusal as refusal:
        return ParsedAct(**readable, refusal=refusal)
    data = _data(line.act, line.data)
    if isinstance(data, Submit):
        readable["foreign_codes"] = (*readable["foreign_codes"], *data.foreign_codes)
    return ParsedAct(**readable, act=line.act, occurred_at=line.occurred_at, actor=line.actor, data=data)


def _dossier(line: SubmitRequest) -> tuple[Reference | None, tuple[ForeignCode, ...]]:
    """Return the reference to the line's dossier, or None, and the foreign code that a submission thereby gives it.

    Raises InvalidCodeError.
    """
    named = line.dossier
    if named is None:
        return None, ()
    is_submission = isinstance(line, LineRequest) and line.act == "submit"
    return reference_of(named), (named.foreign,) if is_submission and named.foreign is not None else ()


def reference_of(named: DossierReference) -> Reference:
    """Return a request's reference to a dossier in its comparable form. Raises InvalidCodeError."""
    if named.id is not None:
        return Reference("id", str(named.id))
    if named.foreign is not None:
        return Reference("foreign", named.foreign.id)
    return Reference("code", str(parse_code(named.code or "")))


def _data(act: str, raw: Mapping[str, Any]) -> ActData | Refusal | None:
    if act not in ACTS:
        return None
    try:
        return ACTS[act].data.model_validate(raw)
    except ValidationError as error:
        return problems.invalid(
            [fault | {"loc": ("data", *fault["loc"])} for fault in error.errors(include_input=False)]
        )


def fingerprint(raw: Mapping[str, Any]) -> str:
    """Return a hash of a request's content.

    It is equal for requests that differ only in the key and in members that are null, empty objects or missing.
    """
    content = {name: value for name, value in raw.items() if name != "key" and value not in (None, {})}
    return idempotency.fingerprint(content)
