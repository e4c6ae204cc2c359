"""What a request may hold: the envelope of an act and the data of each act. Shapes only; the rules are the domain's."""

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from services.intake.domain.codes import parse_code
from shared.contracts.dossiers import Channel
from shared.kernel.errors import ExpectedError, FieldError
from shared.runtime import problems
from shared.runtime.http import Body

_INSTANT = re.compile(r"2\d{3}-\d\d-\d\dT\d\d:\d\d.*", re.ASCII)
_KEY = re.compile(r"[!-~]{1,200}", re.ASCII)


def _is_instant(value: object) -> object:
    if not (isinstance(value, str) and _INSTANT.fullmatch(value)):
        raise ValueError("an instant looks like 2026-03-02T08:30:00+07:00")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_is_instant)]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=64)]
Line1 = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
CounterNumber = Annotated[int, Field(ge=1, le=9999)]


class Data(Body):
    """The base of what an act takes: unknown members are refused, nothing is coerced."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Applicant(Data):
    """Who asks, and how to reach them; everything may be missing (paper receipt only)."""

    name: Line1 | None = None
    phone: Line1 | None = None
    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=254)] | None = None
    id_number: Line1 | None = None
    address: Text | None = None


class Document(Data):
    """A paper handed in. A file has media type, size and SHA-256; a paper original has none of them."""

    requirement: Line1 | None = None
    title: Line1
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[A-Za-z0-9.+-]+$", max_length=100)] | None = None
    size: Annotated[int, Field(ge=0, le=10**12)] | None = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    reference: Line1 | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Document":
        if len({value is None for value in (self.media_type, self.size, self.sha256)}) > 1:
            raise ValueError("a file has media_type, size and sha256; a paper original has none of them")
        return self


Documents = Annotated[list[Document], Field(max_length=200)]


class ForeignCode(Data):
    """The dossier's code in another system."""

    system: Word
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]

    @property
    def id(self) -> str:
        """How it is kept and looked up."""
        return f"{self.system}/{self.code}"


class Receive(Data):
    """Take the dossier in."""

    department: Word | None = None
    counter: CounterNumber | None = None
    missing_papers_reason: Text | None = None


class Submit(Data):
    """Hand a request in; with `receive`, a walk-in: submitted and received at once."""

    procedure: Word
    department: Word | None = None
    channel: Channel | None = None
    counter: CounterNumber | None = None
    applicant: Applicant = Applicant()
    documents: Documents = Field(default_factory=list)
    foreign_codes: Annotated[list[ForeignCode], Field(max_length=10)] = Field(default_factory=list)
    receive: Receive | None = None


class Refuse(Data):
    """Do not take the dossier in."""

    reason: Text


class AskSupplement(Data):
    """Ask for papers: keys or names of requirements, or plain names where none are entered."""

    papers: Annotated[list[Line1], Field(min_length=1, max_length=50)]
    reason: Text | None = None


class SupplementReceived(Data):
    """The papers came."""

    documents: Documents = Field(default_factory=list)


class AskPayment(Data):
    """Ask for the fulfilment of a financial obligation."""

    amount_vnd: Annotated[int, Field(gt=0, le=10**14)]
    reason: Text | None = None


class Settle(Data):
    """The department decided."""

    outcome: Literal["approved", "rejected"]
    electronic_result: bool = False
    reason: Text | None = None


class Stop(Data):
    """End work without a result."""

    reason: Text


class Withdraw(Data):
    """The applicant takes the request back."""

    reason: Text | None = None


class ReturnResult(Data):
    """The result went to the applicant."""

    way: Literal["counter", "post", "electronic"]


class RecordStep(Data):
    """An entry of the control slip; `note` is free text and stays here, `activity` and `group` travel."""

    activity: Line1
    group: Line1 | None = None
    note: Text | None = None


class HandOver(Data):
    """Papers went to the department in batch `batch`, signed by two accounts."""

    batch: Word
    given_by: Word
    taken_by: Word


class CorrectContact(Data):
    """Replaces what it names of the applicant, takes away what it names as null, and leaves the rest."""

    applicant: Applicant


class Nothing(Data):
    """The act takes no data."""


DATA: Mapping[str, type[Data]] = {
    "submit": Submit,
    "receive": Receive,
    "refuse": Refuse,
    "take_over": Nothing,
    "ask_supplement": AskSupplement,
    "supplement_received": SupplementReceived,
    "ask_payment": AskPayment,
    "paid": Nothing,
    "settle": Settle,
    "stop": Stop,
    "withdraw": Withdraw,
    "return_result": ReturnResult,
    "record_step": RecordStep,
    "hand_over": HandOver,
    "result_arrived": Nothing,
    "correct_contact": CorrectContact,
}
"""The data of every act that is offered."""


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
    data: "Data | ExpectedError | None" = None
    fingerprint: bytes = b""
    fault: ExpectedError | None = None

    @property
    def marks(self) -> set[str]:
        """By what a later line of the same dossier might name it."""
        marks = {f"foreign/{code.id}" for code in self.foreign}
        return marks if self.reference is None else marks | {f"{self.reference.kind}/{self.reference.value}"}


def check_key(key: object, *, pointer: str = "/key") -> str:
    """The idempotency key. Raises ExpectedError (422) unless it is 1 to 200 visible ASCII characters."""
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
        with contextlib.suppress(ValidationError, ExpectedError):
            named = SubmitRequest.model_validate({"dossier": raw.get("dossier")})
            readable["reference"] = _dossier(named)["reference"]
        return ActLine(**readable, fault=problems.invalid(error.errors(include_input=False, include_url=False)))
    except ExpectedError as fault:
        return ActLine(**readable, fault=fault)
    data = _data(line.act, line.data)
    if isinstance(data, Submit):
        readable["foreign"] = (*readable["foreign"], *data.foreign_codes)
    return ActLine(**readable, act=line.act, occurred_at=line.occurred_at, actor=line.actor, data=data)


def _dossier(line: SubmitRequest) -> dict[str, Any]:
    """Which dossier a line is about; a submission gives it the foreign code that it names. Raises ExpectedError."""
    named = line.dossier
    if named is None:
        return {"reference": None, "foreign": ()}
    if named.id is not None:
        return {"reference": Reference("id", str(named.id)), "foreign": ()}
    if named.foreign is not None:
        foreign = (named.foreign,) if isinstance(line, LineRequest) and line.act == "submit" else ()
        return {"reference": Reference("foreign", named.foreign.id), "foreign": foreign}
    return {"reference": Reference("code", str(parse_code(named.code or ""))), "foreign": ()}


def _data(act: str, raw: Mapping[str, Any]) -> Data | ExpectedError | None:
    if act not in DATA:
        return None
    try:
        return DATA[act].model_validate(raw)
    except ValidationError as error:
        return problems.invalid(
            [fault | {"loc": ("data", *fault["loc"])} for fault in error.errors(include_input=False)]
        )


def fingerprint(raw: Mapping[str, Any]) -> bytes:
    """What makes two requests of one key the same: everything but the key, whatever the order of members."""
    content = {name: value for name, value in raw.items() if name != "key" and value not in (None, {})}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).digest()
