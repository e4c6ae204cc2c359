"""What the data of each act may hold. Shapes only; the rules are the domain's."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from shared.contracts.dossiers import Channel
from shared.service.http import Body

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=64)]
Line1 = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
TWO_SIGNATURES = "a hand-over has two signatures: given_by and taken_by are two accounts"
_WORD = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _is_date(value: object) -> object:
    if not (isinstance(value, str) and _DATE.fullmatch(value)):
        raise ValueError("a date looks like 2026-03-02")
    return value


def _is_account(value: object) -> object:
    if isinstance(value, str) and not _WORD.fullmatch(value):
        raise ValueError(
            "write an account's id, such as clerk-41, not a person's name: letters, digits, . _ and - alone"
        )
    return value


Account = Annotated[Word, BeforeValidator(_is_account)]
LocalDate = Annotated[date, Field(strict=False), BeforeValidator(_is_date)]
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
    """Ask for papers: keys or names of requirements, or plain names where none are entered (these do not travel)."""

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
    """An entry of the control slip. `activity` and `group` travel where the centre lists them (by code or name); free
    words, and `note`, stay here."""

    activity: Line1
    group: Line1 | None = None
    note: Text | None = None


class HandOver(Data):
    """Papers went to the department in batch `batch`, signed by two accounts."""

    batch: Word
    given_by: Account
    taken_by: Account

    @model_validator(mode="after")
    def _two(self) -> "HandOver":
        if self.given_by == self.taken_by:
            raise ValueError(TWO_SIGNATURES)
        return self


class Extend(Data):
    """More time, by working days or up to the close of a date; the reason stands in the apology (form 04)."""

    working_days: Annotated[int, Field(ge=1, le=250)] | None = None
    to_date: LocalDate | None = None
    reason: Text

    @model_validator(mode="after")
    def _one(self) -> "Extend":
        if (self.working_days is None) == (self.to_date is None):
            raise ValueError("an extension adds working_days or sets to_date: give one of them")
        return self


class NextStep(Data):
    """Pass the dossier on to the department of its next step; where none are entered, `department` names it."""

    department: Word | None = None


class Reopen(Data):
    """Work on a settled dossier again."""

    reason: Text


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
    "extend": Extend,
    "next_step": NextStep,
    "reopen": Reopen,
}
"""The data of every act."""
