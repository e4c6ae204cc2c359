"""The envelope of every event on Kafka: CloudEvents 1.0 attributes (structured JSON) around one typed `data`."""

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

Instant = Annotated[AwareDatetime, AfterValidator(lambda value: value.astimezone(UTC))]
"""An aware instant, kept and written in UTC (`Z`)."""

READING = {"reading": True}
"""The validation context in which a record of another service is read; without it a value is being written."""


class OpenEnum:
    """Marks a list of words that may grow: a writer keeps to the words it knows, a reader lets others through."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_wrap_validator_function(self._validate, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        known = handler(schema)
        words = known["enum"] if "enum" in known else [known["const"]]
        return {"type": "string", "x-extensible-enum": words}

    @staticmethod
    def _validate(value: Any, known: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        if info.context is READING and isinstance(value, str):
            return value
        return known(value)


W = TypeVar("W")

Open = Annotated[W, OpenEnum()]
"""`Open[Literal["a", "b"]]`: these words today, more tomorrow (additions are optional, readers are deployed first).

The type names what is known; a reader that meets another word does what it does for none of them, and a table is
asked with `.get`.
"""

Role = Literal["applicant", "clerk", "officer", "leader", "ops", "auditor", "service", "importer"]


class Wire(BaseModel):
    """A value that travels: immutable; readers ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Actor(Wire):
    """Who did an act. `id` names an account or a system, never a person by name."""

    kind: Open[Literal["person", "system"]]
    id: str
    role: Open[Role]
    department: str | None = None
    counter: int | None = None


class EventData(Wire):
    """What one type of event says. Subclasses set `TYPE`, `VERSION` and `TOPIC` and may only grow optional fields."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1
    TOPIC: ClassVar[str]


D = TypeVar("D", bound=EventData, covariant=True)


class EventEnvelope(Wire, Generic[D]):
    """One event as it stands on Kafka and in its owner's history.

    `time` is the centre time at which the event became true, `recordedtime` when it was recorded; `sequence` counts the
    events of one subject on one topic from 1; `epoch` tells the lives of a restored writer apart.
    """

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: Instant
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    sequence: int = Field(ge=1)
    recordedtime: Instant
    actorkind: Open[Literal["person", "system"]]
    actorid: str
    actorrole: Open[Role]
    actordepartment: str | None = None
    actorcounter: int | None = None
    centre: str
    epoch: int = Field(ge=1)
    catalogueversion: str
    correlationid: str
    causationid: str
    traceparent: str | None = None
    data: D

    @property
    def actor(self) -> Actor:
        """Who caused the event, put together from the flat attributes (CloudEvents knows no nested ones)."""
        flat = {
            "kind": self.actorkind,
            "id": self.actorid,
            "role": self.actorrole,
            "department": self.actordepartment,
            "counter": self.actorcounter,
        }
        return Actor.model_validate(flat, context=READING)

    @property
    def dossier_id(self) -> UUID:
        """The subject of every topic that is keyed by dossier. Raises ValueError elsewhere."""
        return UUID(self.subject)

    def to_json(self) -> bytes:
        """The record's value; attributes that are absent are left out, as CloudEvents asks."""
        return self.model_dump_json(exclude_none=True).encode()


AnyEnvelope = EventEnvelope[EventData]


def schema_uri(event_type: str, version: int) -> str:
    """The `dataschema` of an event type's version."""
    return f"urn:motcua:event:{event_type}:v{version}"


def actor_attributes(actor: Actor) -> dict[str, Any]:
    """The actor as the envelope's flat attributes."""
    return {
        "actorkind": actor.kind,
        "actorid": actor.id,
        "actorrole": actor.role,
        "actordepartment": actor.department,
        "actorcounter": actor.counter,
    }


def as_utc(value: datetime) -> datetime:
    """The same instant in UTC; raises ValueError for a naive one, since a guess would move it by hours."""
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no UTC offset")
    return value.astimezone(UTC)
