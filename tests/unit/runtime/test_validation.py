"""Validation errors say what to write, without the value."""

from datetime import date, time
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.runtime.validation import describe_error


class Trial(BaseModel):
    model_config = ConfigDict(extra="forbid")

    at: AwareDatetime | None = None
    day: date | None = None
    hour: time | None = None
    id: UUID | None = None
    whole: Annotated[int, Field(ge=1, le=9)] = 1
    above: Annotated[float, Field(gt=0, lt=1)] = 0.5
    kind: Literal["post", "counter"] = "post"
    names: Annotated[list[str], Field(min_length=1, max_length=2)] = ["a"]
    text: Annotated[str, Field(min_length=1, max_length=3)] = "a"
    member: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "a"
    phone: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")] = "+84901234567"
    other: Annotated[str, Field(pattern="^x+$")] = "x"
    sure: bool = True
    within: "Trial | None" = None

    @field_validator("other")
    @classmethod
    def _short(cls, value: str) -> str:
        if len(value) > 2:
            raise ValueError("write at most two of them")
        return value


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"strange": 1}, "unknown: remove it, or correct its name"),
        ({"at": "2026-11-23T08:00:00"}, "the offset from UTC is missing: add one, such as +07:00 or Z"),
        ({"at": "soon"}, "write an instant, such as 2026-11-23T08:00:00+07:00"),
        ({"day": "23/11/2026"}, "write a date as YYYY-MM-DD"),
        ({"hour": "8 o'clock"}, "write a time of day as HH:MM"),
        ({"id": "abc"}, "write a UUID, such as 0190b6d4-5a7c-7cc1-8d2e-3f6a9b1c2d3e"),
        ({"whole": "abc"}, "write a whole number"),
        ({"whole": 1.5}, "write a whole number"),
        ({"whole": 0}, "write a number of at least 1"),
        ({"whole": 10}, "write a number of at most 9"),
        ({"above": 0}, "write a number above 0.0"),
        ({"above": 1}, "write a number below 1.0"),
        ({"above": "x"}, "write a number"),
        ({"kind": "fax"}, "write one of 'post' or 'counter'"),
        ({"names": []}, "write at least 1 entry"),
        ({"names": ["a", "b", "c"]}, "write at most 2 entries"),
        ({"names": "a"}, "write a list"),
        ({"text": ""}, "write at least 1 character"),
        ({"text": "abcd"}, "write at most 3 characters"),
        ({"text": 1}, "write a text"),
        ({"member": "a b"}, "write letters without diacritics, digits, . _ and - only"),
        ({"phone": "0901"}, "write a phone number with + and the country code, such as +84901234567"),
        ({"other": "y"}, "write a text that matches ^x+$"),
        ({"other": "xxx"}, "write at most two of them"),
        ({"sure": "perhaps"}, "write true or false"),
        ({"within": 3}, "write an object"),
    ],
)
def test_error_says_what_to_write(values: dict[str, object], message: str) -> None:
    """Each usual kind of error has a plain sentence."""
    with pytest.raises(ValidationError) as refused:
        Trial.model_validate(values)
    (fault,) = refused.value.errors(include_input=False, include_url=False)
    assert describe_error(fault) == message


def test_missing_member_is_reported() -> None:
    """A missing member is reported; its pointer names it."""

    class Needed(BaseModel):
        name: str

    with pytest.raises(ValidationError) as refused:
        Needed.model_validate({})
    assert [describe_error(fault) for fault in refused.value.errors()] == ["missing: add it"]


def test_unknown_kind_has_the_message_of_pydantic() -> None:
    """A kind of error without a sentence has the message of pydantic."""
    assert describe_error({"type": "bytes_type", "msg": "Input should be valid bytes"}) == "Input should be valid bytes"
