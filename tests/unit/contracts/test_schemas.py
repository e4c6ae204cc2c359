"""Compatibility of schema changes within one version of an event."""

from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field, create_model

from shared.contracts.dossiers import ForeignCode
from shared.contracts.envelope import EventData, OpenEnum
from shared.contracts.schemas import breaks, data_schema, shape


class BaseData(EventData):
    """A sample."""

    TYPE: ClassVar[str] = "sample.made"
    TOPIC: ClassVar[str] = "sample.samples.v1"


def made(**fields: Any) -> dict[str, Any]:
    default: dict[str, Any] = {
        "place": (str, ...),
        "floor": (int | None, None),
        "way": (Annotated[Literal["lift", "stairs"], OpenEnum()], ...),
        "codes": (tuple[ForeignCode, ...], ()),
        "amount": (int, Field(gt=0)),
    }
    chosen = {name: value for name, value in (default | fields).items() if value is not None}
    model: type[BaseData] = create_model("SampleMadeV1", __base__=BaseData, **chosen)
    result: dict[str, Any] = shape(data_schema(model))
    return result


class CodeOfAnySystem(ForeignCode):
    system: str = ""


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"colour": (str | None, None)},
        {"colour": (str, "red")},
        {"way": (Annotated[Literal["lift", "stairs", "ladder"], OpenEnum()], ...)},
        {"place": (str, Field(description="Where."))},
    ],
    ids=["nothing", "optional field", "field with default", "new word", "description"],
)
def test_addition_is_compatible(fields: dict[str, Any]) -> None:
    """Optional fields and new words are compatible: old readers ignore them."""
    assert list(breaks(made(), made(**fields))) == []


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"place": None}, "/place: the field is removed"),
        ({"colour": (str, ...)}, "/colour: a new field must be optional"),
        ({"place": (int, ...)}, "/place: type was string, is integer"),
        ({"floor": (int | None, ...)}, "/floor: became required"),
        ({"place": (str, "here")}, "/place: became optional"),
        ({"way": (Annotated[Literal["lift"], OpenEnum()], ...)}, "/way: the word stairs is removed"),
        ({"amount": (int, Field(gt=10))}, "exclusiveMinimum was 0, is 10"),
        ({"amount": (int, Field(ge=0))}, "exclusiveMinimum was 0, is None"),
        ({"place": (str, Field(max_length=5))}, "maxLength was None, is 5"),
        ({"floor": (str | None, None)}, "type was integer, is string"),
        ({"floor": (int, None)}, "/floor"),
        ({"codes": (tuple[str, ...], ())}, "/codes"),
        ({"codes": (tuple[CodeOfAnySystem, ...], ())}, "/codes/items/system: became optional"),
    ],
)
def test_other_change_is_incompatible(fields: dict[str, Any], complaint: str) -> None:
    """Removing, narrowing, widening or renaming breaks old records or old readers."""
    assert any(complaint in fault for fault in breaks(made(), made(**fields)))
