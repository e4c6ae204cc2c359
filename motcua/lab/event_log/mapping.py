"""How a log's columns become acts: a TOML file, described in docs/replay.md, checked before any row is looked at."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from motcua.lab.event_log.log import Fault, Log, LogRefusedError
from services.intake.dossiers.registry import ACTS
from shared.kernel.errors import StartError
from shared.runtime import toml
from shared.runtime.validation import sentence

_NOT_A_ROW = ("submit", "receive", "extend", "next_step", "reopen")
"""Made by the case; and acts that need more than a log says."""


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Amsterdam") from None
    return name


def _is_act(name: str) -> str:
    possible = [act for act in ACTS if act not in _NOT_A_ROW]
    if name not in possible:
        raise ValueError(f"{name!r} is not an act that a row can be; there are {', '.join(possible)}")
    return name


Name = Annotated[str, Field(min_length=1)]
System = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(_Part):
    """Where a value comes from: the same `value` for all, or a `column` of the case, its words translated."""

    value: Name | None = None
    column: Name | None = None
    words: Mapping[str, Name] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Source":
        if (self.value is None) == (self.column is None) or (self.words is not None and self.column is None):
            raise ValueError("give either a value or a column; words stand with a column")
        return self


class Columns(_Part):
    """The columns of a row. `key` names those that together tell one row from every other."""

    case: Name
    activity: Name
    time: Name
    resource: Name | None = None
    group: Name | None = None
    key: tuple[Name, ...] = Field(default=(), strict=False)


class DossierParts(_Part):
    """What a case as a whole becomes. Columns here belong to the case: they are alike in all of its rows.

    Without `start` (or where it is empty) a case starts with its first row; without `end` nothing settles it but a
    row; `deadline` is compared with our due date and never played.
    """

    procedure: Source
    department: Source
    channel: Source
    start: Name | None = None
    take_over: bool = False
    end: Name | None = None
    outcome: Source = Source(value="approved")
    deadline: Name | None = None


class Attributes(_Part):
    """Columns that are kept with the dossier, in the notes of its control slip, and mean nothing to the clock."""

    case: tuple[Name, ...] = Field(default=(), strict=False)
    row: tuple[Name, ...] = Field(default=(), strict=False)


class MappedAct(_Part):
    """The act that an activity is, with the data that such an act takes."""

    act: Annotated[str, AfterValidator(_is_act)]
    data: Mapping[str, Any] = {}


class Mapping1(_Part):
    """The whole mapping. A row whose activity is not under `acts` is a `record_step`."""

    format: Literal[1]
    system: System
    zone: Annotated[str, AfterValidator(_is_zone)] | None = None
    empty: frozenset[str] = Field(default=frozenset(), strict=False)
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    pseudonyms: bool = True
    columns: Columns
    dossier: DossierParts
    attributes: Attributes = Attributes()
    acts: Mapping[str, MappedAct] = {}

    def case_columns(self) -> Iterator[tuple[str, str]]:
        """Every column that belongs to the case, with its place in the mapping."""
        parts = self.dossier
        for place in ("procedure", "department", "channel", "outcome"):
            column = getattr(parts, place).column
            if column is not None:
                yield f"dossier.{place}.column", column
        for place in ("start", "end", "deadline"):
            column = getattr(parts, place)
            if column is not None:
                yield f"dossier.{place}", column
        for column in self.attributes.case:
            yield "attributes.case", column

    def row_columns(self) -> Iterator[tuple[str, str]]:
        """Every column that belongs to the row, with its place in the mapping."""
        for place in ("case", "activity", "time", "resource", "group"):
            column = getattr(self.columns, place)
            if column is not None:
                yield f"columns.{place}", column
        for column in self.columns.key:
            yield "columns.key", column
        for column in self.attributes.row:
            yield "attributes.row", column


def read_mapping(path: Path) -> Mapping1:
    """The mapping in a file. Raises LogRefusedError with every place that is wrong, StartError if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StartError(f"{path}: cannot be read ({error.strerror}): name a file that is there") from error
    except UnicodeDecodeError as error:
        raise LogRefusedError([Fault(path.name, f"byte {error.start + 1} is not UTF-8")]) from error
    return parse_mapping(text, path.name)


def parse_mapping(text: str, name: str = "mapping") -> Mapping1:
    """The mapping in a text. Raises LogRefusedError with every place that is wrong."""
    try:
        document = toml.loads(text)
    except toml.NotTomlError as error:
        raise LogRefusedError([Fault(name, str(error), error.line)]) from error
    try:
        return Mapping1.model_validate(document)
    except ValidationError as error:
        raise LogRefusedError(
            [
                Fault(name, sentence(fault), column=".".join(map(str, fault["loc"])))
                for fault in error.errors(include_url=False, include_input=False)
            ]
        ) from error


def faults_against(mapping: Mapping1, log: Log, name: str) -> list[Fault]:
    """What the mapping names and the log does not hold; columns and activities alike."""
    faults = [
        Fault(name, f"the log has no column {column!r}; it has {', '.join(log.columns)}", column=place)
        for place, column in (*mapping.row_columns(), *mapping.case_columns())
        if column not in log.columns
    ]
    if faults:
        return faults
    activities = {row.cells.get(mapping.columns.activity) for row in log.rows if row.is_event}
    return [
        Fault(name, f"no row of the log has the activity {activity!r}: mend its name, or remove it", column="acts")
        for activity in mapping.acts
        if activity not in activities
    ]
