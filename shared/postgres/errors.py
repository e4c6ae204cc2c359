"""Classify database errors: transient errors are retried; content errors are caused by the data to store."""

import asyncpg

from shared.kernel.errors import TransientError

_TRANSIENT_CLASSES = (
    "08",  # connection
    "40",  # rollback: deadlock, serialization
    "53",  # resources: disk full, too many connections
    "57",  # operator intervention: shutdown, cancelled statement
    "58",  # system error
)
_TRANSIENT_STATES = (
    "0A000",  # only as InvalidCachedStatementError: a migration changed a table under a prepared statement
    "25006",  # read-only: a standby answered, the fail-over is not complete
    "55P03",  # a lock was not available in time
    "25P03",  # the database ended an idle transaction
    "57P05",  # the database ended an idle session
)

_CONTENT_CLASSES = (
    "22",  # data exception: out of range, a NUL in a text
    "23",  # integrity constraint
    "44",  # check option
    "54",  # program limit: too long for an index
    "P0",  # raised by a trigger
)

CONNECTION_ERRORS = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError)
"""Everything that asyncpg raises, including its internal error when a connection ends between two messages.
`is_transient` decides which of them are retried."""


def is_transient(error: BaseException) -> bool:
    """Whether the transaction that raised `error` may succeed if it is repeated on a new connection."""
    if isinstance(error, asyncpg.PostgresError):
        state = _state(error)
        if state == "0A000":
            return isinstance(error, asyncpg.InvalidCachedStatementError)
        return state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES
    transient = isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError)
    return transient and not _unencodable(error)


def is_content(error: BaseException) -> bool:
    """Whether the data that a transaction tried to store caused `error`, so that other data could be stored.

    False for transient errors, and for a database that does not fit this release (a missing table or privilege).
    """
    if isinstance(error, asyncpg.PostgresError):
        return _state(error)[:2] in _CONTENT_CLASSES
    return isinstance(error, ValueError | TypeError)  # from encoding values, by asyncpg as well


def is_fault_of_content(error: BaseException) -> bool:
    """Whether a record or row, or the code that handles it, caused `error`, so that other rows can be worked on.

    False for errors of the database as a whole (see CONNECTION_ERRORS and `is_content`), and for a system that does not
    answer.
    """
    if isinstance(error, (TransientError, *CONNECTION_ERRORS)):
        return is_content(error)
    return isinstance(error, Exception)


def _unencodable(error: BaseException) -> bool:
    """Whether asyncpg could not encode a value: its own DataError is an InterfaceError and a ValueError."""
    return isinstance(error, ValueError)


def _state(error: asyncpg.PostgresError) -> str:
    return getattr(error, "sqlstate", None) or ""
