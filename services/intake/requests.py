"""What a request may hold: the envelope of an act, alone or as a line. Shapes only; the rules are the domain's."""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from services.intake.act_data import DATA, TWO_SIGNATURES, Account, CounterNumber, Data, ForeignCode, Submit, Word
from services.intake.domain.codes import parse_code
from shared.kernel.errors import ExpectedError, FieldError, Refusal
from shared.service import idempotency, problems
from shared.service.http import Body

MAX_IN_BATCH = 200
"""Dossiers whose papers go under one number."""

_INSTANT = re.compile(r"2\d{3}-\d\d-\d\dT\d\d:\d\d.*", re.ASCII)
_KEY = re.compile(r"[!-~]{1,200}", re.ASCII)


def _is_instant(value: object) -> object:
    if not (isinstance(value, str) and _INSTANT.fullmatch(value)):
        raise ValueError("an instant looks like 2026-03-02T08:30:00+07:00")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_is_instant)]


class NamedActor(Body):
    """The actor as a request may name it; it must be the key's own."""

    kind: Literal["person", "system"] | None = None
    id: Word | None = None
    role: Word | None = None
    department: Word | None = None
    counter: CounterNumber | None = None


class DossierReference(Body):
    """Which dossier: by exactly one of its id, its code or its code in another system."""

    id: UUID | None = None
    code: Annotated[str, StringConstraints(max_length=100)] | None = None
    foreign: ForeignCode | None = None

    @model_validator(mode="after")
    def _one(self) -> "DossierReference":
        if len(self.model_fields_set) != 1 or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError("a dossier is named by exactly one of id, code, foreign")
        return self


class ActRequest(Body):
    """An act on the dossier that the address names."""

    occurred_at: Instant | None = None
    actor: NamedActor = NamedActor()
    data: dict[str, Any] = Field(default_factory=dict)


class SubmitRequest(ActRequest):
    """A submission; the client may bring the dossier's id (a UUIDv7) or its foreign code."""

    dossier: DossierReference | None = None


class LineRequest(SubmitRequest):
    """One line of a batch."""

    key: str
    act: str


class HandOverRequest(Body):
    """Papers of these dossiers, all of one department, go there together; two accounts sign."""

    department: Word
    dossiers: Annotated[list[DossierReference], Field(min_length=1, max_length=MAX_IN_BATCH)]
    given_by: Account
    taken_by: Account

    @model_validator(mode="after")
    def _two(self) -> "HandOverRequest":
        if self.given_by == self.taken_by:
            raise ValueError(TWO_SIGNATURES)
        return self


@dataclass(frozen=True, slots=True)
class Reference:
    """Which dossier a line is about, in one comparable form."""

    kind: Literal["id", "code", "foreign"]
    value: str


@dataclass(frozen=True, slots=True)
class ActLine:
    """One act to be judged, from whichever door it came.

    `foreign` are the codes of other systems that a submission would give its dossier. A line with a `fault` is refused
    with it, unless its key is known; as much as could be read of it stands in the other fields. Wrong data alone is no
    fault of the line: role, dossier and state are judged before it.
    """

    key: str = ""
    act: str = ""
    reference: Reference | None = None
    foreign: tuple[ForeignCode, ...] = ()
    occurred_at: datetime | None = None
    actor: NamedActor = field(default_factory=NamedActor)
    data: "Data | Refusal | None" = None
    fingerprint: str = ""
    fault: Refusal | None = None

    @property
    def marks(self) -> set[str]:
        """By what a later line of the same dossier might name it."""
        marks = {f"foreign/{code.id}" for code in self.foreign}
        return marks if self.reference is None else marks | {f"{self.reference.kind}/{self.reference.value}"}


def check_key(key: object, *, pointer: str = "/key") -> str:
    """The idempotency key. Raises Refusal (422) unless it is 1 to 200 visible ASCII characters."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        detail = "every write names its Idempotency-Key: 1 to 200 visible ASCII characters, no personal data"
        raise ExpectedError("idempotency-key", detail, status=422, errors=[FieldError(pointer, detail)])
    return key


def read_line(raw: object) -> ActLine:
    """The act in a parsed JSON object; what is wrong with it stands in its `fault`, every place with a pointer."""
    if not isinstance(raw, dict):
        return ActLine(fault=ExpectedError("invalid-content", "expected a JSON object", status=422))
    readable: dict[str, Any] = {"fingerprint": fingerprint(raw)}
    try:
        readable["key"] = check_key(raw.get("key"))
        line = LineRequest.model_validate(raw)
        readable |= _dossier(line)
    except ValidationError as error:
        # a refused line holds up later ones of its dossier, so that is read even where the rest is wrong
        with contextlib.suppress(ValidationError, Refusal):
            named = SubmitRequest.model_validate({"dossier": raw.get("dossier")})
            readable["reference"] = _dossier(named)["reference"]
        return ActLine(**readable, fault=problems.invalid(error.errors(include_input=False, include_url=False)))
    except Refusal as fault:
        return ActLine(**readable, fault=fault)
    data = _data(line.act, line.data)
    if isinstance(data, Submit):
        readable["foreign"] = (*readable["foreign"], *data.foreign_codes)
    return ActLine(**readable, act=line.act, occurred_at=line.occurred_at, actor=line.actor, data=data)


def _dossier(line: SubmitRequest) -> dict[str, Any]:
    """Which dossier a line is about; a submission gives it the foreign code that it names. Raises Refusal."""
    named = line.dossier
    if named is None:
        return {"reference": None, "foreign": ()}
    gives = named.foreign is not None and isinstance(line, LineRequest) and line.act == "submit"
    return {"reference": reference_of(named), "foreign": (named.foreign,) if gives else ()}


def reference_of(named: DossierReference) -> Reference:
    """Which dossier is meant. Raises Refusal (422) for text that is no code."""
    if named.id is not None:
        return Reference("id", str(named.id))
    if named.foreign is not None:
        return Reference("foreign", named.foreign.id)
    return Reference("code", str(parse_code(named.code or "")))


def _data(act: str, raw: Mapping[str, Any]) -> Data | Refusal | None:
    if act not in DATA:
        return None
    try:
        return DATA[act].model_validate(raw)
    except ValidationError as error:
        return problems.invalid(
            [fault | {"loc": ("data", *fault["loc"])} for fault in error.errors(include_input=False)]
        )


def fingerprint(raw: Mapping[str, Any]) -> str:
    """What makes two requests of one key the same: everything but the key, whatever the order of members."""
    content = {name: value for name, value in raw.items() if name != "key" and value not in (None, {})}
    return idempotency.fingerprint(content)
