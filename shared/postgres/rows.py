"""Tables whose rows are read, locked, inserted or updated in batches, with one statement for each batch."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Generic, TypeVar

import asyncpg
from pydantic_core import from_json, to_json

from shared.kernel.fence import Fence
from shared.postgres.pool import Connection


@dataclass(slots=True, kw_only=True)
class Row:
    """The state of one key: a fence per consumed topic, and the `sequence` of the last event published about the key.

    Subclasses add the service's state; each field is a column of the same name. `partition` is the Kafka partition of
    the last record consumed about the key.
    """

    key: Any
    sequence: int = 0
    fences: dict[str, Fence] = field(default_factory=dict)
    partition: int = 0

    def fence(self, topic: str) -> Fence:
        """The fence of this key on `topic`; a fence with sequence 0 if no record of the topic took effect yet."""
        return self.fences.get(topic, Fence())


R = TypeVar("R")
K = TypeVar("K", bound=Row)


class RecordTable(Generic[R]):
    """Reads and writes one table, whose rows are instances of the dataclass `record`.

    `columns` maps each field to the SQL type of its column. The fields of `jsonb` columns are plain JSON values. `key`
    is the column by which rows are found, updated and locked in order. `update` never writes the columns in `fixed`.
    """

    def __init__(
        self, record: type[R], *, name: str, key: str, columns: Mapping[str, str], fixed: Collection[str] = ()
    ) -> None:
        self.record = record
        self.name = name
        self.key_column = key
        self.columns = dict(columns)
        self._documents = [column for column, kind in self.columns.items() if kind == "jsonb"]
        names = ", ".join(self.columns)
        self._select = f"select {names} from {name}"
        self._insert = f"insert into {name} ({names}) select * from {_arrays(self.columns)}"
        self._updated = {column: kind for column, kind in self.columns.items() if column not in fixed}
        settable = ", ".join(f"{column} = v.{column}" for column in self._updated if column != key)
        self._update = f"update {name} set {settable} from {_arrays(self._updated)} where {name}.{key} = v.{key}"

    async def lock(self, connection: Connection, keys: Iterable[Any]) -> dict[Any, R]:
        """Lock the existing records of `keys` in key order until the transaction ends, and return them by key.

        Waits while another transaction has locked one of them.
        """
        kind = self.columns[self.key_column]
        found = await connection.fetch(
            f"{self._select} where {self.key_column} = any($1::{kind}[]) order by {self.key_column} for update",
            list(keys),
        )
        return self.by_key(found)

    async def read_all(self, connection: "Connection | asyncpg.Pool", keys: Iterable[Any]) -> dict[Any, R]:
        """Read the existing records of `keys`, by key. They are not locked: do not base a decision on them."""
        kind = self.columns[self.key_column]
        return self.by_key(
            await connection.fetch(f"{self._select} where {self.key_column} = any($1::{kind}[])", list(keys))
        )

    async def read(self, connection: "Connection | asyncpg.Pool", key: Any) -> R | None:
        """Read the record of `key`; None if it does not exist. It is not locked: do not base a decision on it."""
        row = await connection.fetchrow(f"{self._select} where {self.key_column} = $1", key)
        return None if row is None else self._from_database(row)

    async def insert(self, connection: Connection, records: Sequence[R]) -> None:
        """Insert new records in key order. Raises asyncpg.UniqueViolationError if one of the records exists already."""
        if records:
            ordered = sorted(records, key=self._key)
            await connection.execute(self._insert, *self._to_database(ordered, self.columns))

    async def update(self, connection: Connection, records: Sequence[R]) -> None:
        """Overwrite existing records, which the caller's transaction must have locked."""
        if records:
            await connection.execute(self._update, *self._to_database(records, self._updated))

    def records(self, rows: Iterable[asyncpg.Record]) -> list[R]:
        """Convert rows of a query to records, in the same order.

        Each row must have all columns of this table; further columns are ignored.
        """
        return [self._from_database(row) for row in rows]

    def _key(self, record: R) -> Any:
        return getattr(record, self.key_column)

    def by_key(self, rows: Iterable[asyncpg.Record]) -> dict[Any, R]:
        """Convert rows of a query as `records` does, and return the records by key."""
        return {self._key(record): record for record in self.records(rows)}

    def _field(self, column: str) -> str:
        return column

    def _to_database(self, records: Sequence[R], columns: Mapping[str, str]) -> list[list[Any]]:
        found = {column: list(map(attrgetter(self._field(column)), records)) for column in columns}
        for column, kind in columns.items():
            if kind == "jsonb":
                found[column] = [None if value is None else to_json(value).decode() for value in found[column]]
        return list(found.values())

    def _from_database(self, row: asyncpg.Record) -> R:
        return self.record(**self._values(row))

    def _values(self, row: asyncpg.Record) -> dict[str, Any]:
        values = {column: row[column] for column in self.columns}
        for column in self._documents:
            if values[column] is not None:
                values[column] = from_json(values[column])
        return values


def _arrays(columns: Mapping[str, str]) -> str:
    """The SQL that turns one array parameter per column into the rows of a table `v`."""
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(columns.values(), 1))
    return f"unnest({arrays}) as v ({', '.join(columns)})"


class Table(RecordTable[K]):
    """A RecordTable for a subclass of Row: adds `sequence`, `fences` and `partition` to the service's `columns`."""

    def __init__(
        self,
        record: type[K],
        *,
        name: str,
        columns: Mapping[str, str],
        key: str = "dossier_id",
        key_type: str = "uuid",
        fixed: Collection[str] = (),
    ) -> None:
        common = {key: key_type, "sequence": "bigint", "fences": "jsonb", "partition": "integer"}
        super().__init__(record, name=name, key=key, columns=common | dict(columns), fixed=fixed)

    def new(self, key: Any) -> K:
        """Build a row of `key` with the defaults of its dataclass, in memory only."""
        return self.record(key=key)

    def _key(self, record: K) -> Any:
        return record.key

    def _field(self, column: str) -> str:
        return "key" if column == self.key_column else column

    def _from_database(self, row: asyncpg.Record) -> K:
        values = self._values(row)
        values["key"] = values.pop(self.key_column)
        values["fences"] = {topic: Fence(*fence) for topic, fence in values["fences"].items()}
        return self.record(**values)
