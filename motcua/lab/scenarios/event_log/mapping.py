"""The mapping of a log's columns to acts: a TOML file (docs/replay.md), checked before any row is read."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from motcua.lab.scenarios.event_log.log import Log, LogRefusedError
from services.intake.dossiers.registry import ACTS
from shared.catalogue.faults import Fault
from shared.kernel.errors import StartError
from shared.runtime import toml
from shared.runtime.validation import describe_error

_NOT_A_ROW = ("submit", "receive", "extend", "next_step", "reopen")
"""Acts that a row cannot be: the case's start makes the first two, the others need data that a log does not have."""


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Amsterdam.") from None
    return name


def _is_act(name: str) -> str:
    possible = [act for act in ACTS if act not in _NOT_A_ROW]
    if name not in possible:
        raise ValueError(f"{name!r} is not an act that a row can be. Use one of {', '.join(possible)}.")
    return name


Name = Annotated[str, Field(min_length=1)]
System = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(_Part):
    """The source of a value: one `value` for all cases, or a `column` of the case.

    `words` translates the cells of the column; without it, a cell is used as it is. A cell without a translation is a
    fault.
    """

    value: Name | None = None
    column: Name | None = None
    words: Mapping[str, Name] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Source":
        if (self.value is None) == (self.column is None) or (self.words is not None and self.column is None):
            raise ValueError("Give either a value or a column. Words need a column.")
        return self


class Columns(_Part):
    """The names of the columns that describe a row: its case, activity, time, who did it (`resource`), and so on.

    The cells of the `key` columns together identify a row. Without them, rows are identified by case, activity, time
    and their number among equal rows.
    """

    case: Name
    activity: Name
    time: Name
    resource: Name | None = None
    group: Name | None = None
    key: tuple[Name, ...] = Field(default=(), strict=False)


class DossierParts(_Part):
    """The mapping of a case to a dossier. Its columns belong to the case: they are the same in all rows of a case.

    If `start` or its cell is missing, a case starts with its first row. If `end` or its cell is missing, only a row
    whose activity is mapped to `settle` settles the dossier. With `take_over`, the first row also shows that an officer
    began to work. `deadline` is compared with the centre's due date and never sent to the centre.
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
    """Columns of the case and of the row whose cells are stored in the notes of control slip entries (`record_step`).

    They do not affect the clock. A row that becomes another act has no note, so its attributes are not stored.
    """

    case: tuple[Name, ...] = Field(default=(), strict=False)
    row: tuple[Name, ...] = Field(default=(), strict=False)


class MappedAct(_Part):
    """The act that each row of one activity becomes, with the data of that act."""

    act: Annotated[str, AfterValidator(_is_act)]
    data: Mapping[str, Any] = {}


class LogMapping(_Part):
    """A mapping of a log to acts; `format` is the version of the file format.

    A row whose activity is not in `acts` becomes a `record_step`, an entry of the control slip.
    """

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
        """Yield every column that belongs to the case, as the key in the mapping file and the column's name."""
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
        """Yield every column that belongs to the row, as the key in the mapping file and the column's name."""
        for place in ("case", "activity", "time", "resource", "group"):
            column = getattr(self.columns, place)
            if column is not None:
                yield f"columns.{place}", column
        for column in self.columns.key:
            yield "columns.key", column
        for column in self.attributes.row:
            yield "attributes.row", column


def read_mapping(path: Path) -> LogMapping:
    """Read a mapping from a TOML file. Raises LogRefusedError with its faults, StartError if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StartError(f"{path}: Cannot be read ({error.strerror}). Name an existing file.") from error
    except UnicodeDecodeError as error:
        raise LogRefusedError(
            [Fault(path.name, f"Byte {error.start + 1} is not UTF-8. Save the file as UTF-8.")]
        ) from error
    return parse_mapping(text, path.name)


def parse_mapping(text: str, name: str = "mapping") -> LogMapping:
    """Parse a mapping from TOML. Raises LogRefusedError with its faults, in which `name` is the file's name."""
    try:
        document = toml.parse(text)
    except toml.NotTomlError as error:
        raise LogRefusedError([Fault(name, str(error), error.line)]) from error
    try:
        return LogMapping.model_validate(document)
    except ValidationError as error:
        raise LogRefusedError(
            [
                Fault(name, describe_error(fault), column=".".join(map(str, fault["loc"])))
                for fault in error.errors(include_url=False, include_input=False)
            ]
        ) from error


def faults_against(mapping: LogMapping, log: Log, name: str) -> list[Fault]:
    """Return a fault for every column that the mapping names but the log does not have.

    If no column is missing, return a fault for every activity in `acts` that no row has. Empty if the mapping fits.
    `name` is the mapping file's name in the faults.
    """
    faults = [
        Fault(name, f"The log has no column {column!r}. It has {', '.join(log.columns)}.", column=place)
        for place, column in (*mapping.row_columns(), *mapping.case_columns())
        if column not in log.columns
    ]
    if faults:
        return faults
    activities = {row.cells.get(mapping.columns.activity) for row in log.rows if row.is_event}
    return [
        Fault(
            name,
            f"No row of the log has the activity {activity!r}. Correct the name or remove the entry.",
            column="acts",
        )
        for activity in mapping.acts
        if activity not in activities
    ]
