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

from shared.kernel.vocabulary import Role

Instant = Annotated[AwareDatetime, AfterValidator(lambda value: value.astimezone(UTC))]
"""An aware instant, stored and serialised in UTC (`Z`)."""

READER_CONTEXT = {"reader": True}
"""The validation context for reading a record; without it, a value is validated as one to be published."""


class OpenEnum:
    """Annotation for an enumeration that may grow: only known words can be published, but readers accept any word."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_wrap_validator_function(self._validate, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        known = handler(schema)
        words = known["enum"] if "enum" in known else [known["const"]]
        return {"type": "string", "x-extensible-enum": words}

    @staticmethod
    def _validate(value: Any, known: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        if info.context is READER_CONTEXT and isinstance(value, str):
            return value
        return known(value)


W = TypeVar("W")

Open = Annotated[W, OpenEnum()]
"""`Open[Literal["a", "b"]]`: an extensible enumeration. Later releases may add words; readers are deployed first.

The type lists the words that this release knows. A reader treats an unknown word as a different one, for example with
`.get` on a table.
"""


class ContractModel(BaseModel):
    """The base of every value in an event. Instances are immutable; unknown fields are ignored when read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Actor(ContractModel):
    """Who performed an act: a person or a system. `id` is an account or a system's name, never a person's name."""

    kind: Open[Literal["person", "system"]]
    id: str
    role: Open[Role]
    department: str | None = None
    counter: int | None = None


class EventData(ContractModel):
    """The base of the data of each event type.

    A subclass sets `TYPE`, `VERSION` and `TOPIC`. Within one version, only optional fields may be added to it.
    """

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1
    TOPIC: ClassVar[str]


D = TypeVar("D", bound=EventData, covariant=True)


class EventEnvelope(ContractModel, Generic[D]):
    """One event, as it is on Kafka and in the history of the service that published it.

    `time` is the centre time at which the event occurred, `recordedtime` when it was recorded. `sequence` counts the
    events of one subject on one topic from 1. `epoch` increases when the producer is restored from a backup.
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
        """The actor, composed from the envelope's flat attributes (CloudEvents has no nested ones)."""
        flat = {
            "kind": self.actorkind,
            "id": self.actorid,
            "role": self.actorrole,
            "department": self.actordepartment,
            "counter": self.actorcounter,
        }
        return Actor.model_validate(flat, context=READER_CONTEXT)

    @property
    def dossier_id(self) -> UUID:
        """The subject as a dossier's UUID. Raises ValueError on a topic whose key is not a dossier."""
        return UUID(self.subject)

    def to_json(self) -> bytes:
        """Return the event as JSON, the value of its Kafka record. Absent attributes are omitted, not null."""
        return self.model_dump_json(exclude_none=True).encode()


AnyEnvelope = EventEnvelope[EventData]


def schema_uri(event_type: str, version: int) -> str:
    """Return the value of `dataschema` for an event type and version: a URN."""
    return f"urn:motcua:event:{event_type}:v{version}"


def actor_attributes(actor: Actor) -> dict[str, Any]:
    """Return the five attributes of an envelope that describe the actor, by name."""
    return {
        "actorkind": actor.kind,
        "actorid": actor.id,
        "actorrole": actor.role,
        "actordepartment": actor.department,
        "actorcounter": actor.counter,
    }


def as_utc(value: datetime) -> datetime:
    """Return the same instant in UTC. Raises ValueError for an instant without an offset."""
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no UTC offset")
    return value.astimezone(UTC)
