"""Types of fields in the data of acts. Strict: unknown members are rejected and no value is coerced."""

import re
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=64)]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]

_WORD = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _check_date(value: object) -> object:
    if not (isinstance(value, str) and _DATE.fullmatch(value)):
        raise ValueError("Write a date such as 2026-03-02.")
    return value


def _check_account(value: object) -> object:
    if isinstance(value, str) and not _WORD.fullmatch(value):
        raise ValueError(
            "Write an account's id such as clerk-41, not a person's name: only letters, digits, dots, underscores and "
            "hyphens."
        )
    return value


Account = Annotated[Word, BeforeValidator(_check_account)]
LocalDate = Annotated[date, Field(strict=False), BeforeValidator(_check_date)]
CounterNumber = Annotated[int, Field(ge=1, le=9999)]


class ActData(BaseModel):
    """The base class of the data of every act."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class NoData(ActData):
    """The data of an act that takes none."""


class Applicant(ActData):
    """Who applies and how to reach them; every member may be missing (receipt on paper only)."""

    name: ShortText | None = None
    phone: ShortText | None = None
    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=254)] | None = None
    id_number: ShortText | None = None
    address: Text | None = None


class Document(ActData):
    """A document handed in: a file or a paper original.

    A file has media type, size (bytes) and SHA-256 (hex); a paper original has not.
    """

    requirement: ShortText | None = None
    title: ShortText
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[A-Za-z0-9.+-]+$", max_length=100)] | None = None
    size: Annotated[int, Field(ge=0, le=10**12)] | None = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    reference: ShortText | None = None

    @model_validator(mode="after")
    def _check_file(self) -> "Document":
        if len({value is None for value in (self.media_type, self.size, self.sha256)}) > 1:
            raise ValueError("A file has media_type, size and sha256; a paper original has neither.")
        return self


Documents = Annotated[list[Document], Field(max_length=200)]


class ForeignCode(ActData):
    """A dossier's code in another system."""

    system: Word
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]

    @property
    def id(self) -> str:
        """The text `<system>/<code>`, which identifies the code among those of all systems."""
        return f"{self.system}/{self.code}"


def check_signatures(given_by: str, taken_by: str) -> None:
    """Raise ValueError if the same account signs a hand-over for both sides."""
    if given_by == taken_by:
        raise ValueError("A hand-over has two signatures: given_by and taken_by are different accounts.")
