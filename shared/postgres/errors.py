"""Which database errors pass by themselves, and which are the doing of what was to be stored."""

import asyncpg

_TRANSIENT_CLASSES = (
    "08",  # connection
    "40",  # rollback: deadlock, serialization
    "53",  # resources: disk full, too many connections
    "57",  # operator intervention: shutdown, cancelled statement
    "58",  # system error
)
_TRANSIENT_STATES = (
    "0A000",  # only as InvalidCachedStatementError: a migration changed a table under a prepared statement
    "25006",  # read-only: a standby answered, the fail-over is not over yet
    "55P03",  # a lock was not to be had in time
    "25P03",  # the database ended a transaction that stood idle
    "57P05",  # the database ended a session that stood idle
)

_CONTENT_CLASSES = (
    "22",  # data exception: out of range, a NUL in a text
    "23",  # integrity constraint
    "44",  # check option
    "54",  # program limit: too long for an index
    "P0",  # raised by a trigger
)

CONNECTION_ERRORS = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError)
"""Everything that asyncpg raises, the internal error of a connection that ends between two messages included;
`is_transient` tells what is worth another try."""


def is_transient(error: BaseException) -> bool:
    """True where the same transaction may succeed later, on a fresh connection; false where its content is at fault."""
    if isinstance(error, asyncpg.PostgresError):
        state = _state(error)
        if state == "0A000":
            return isinstance(error, asyncpg.InvalidCachedStatementError)
        return state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES
    passing = isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError)
    return passing and not _unencodable(error)


def is_content(error: BaseException) -> bool:
    """True where what was to be stored is at fault, so that other content may well be storable.

    False for what passes by itself and for a database that is not as this release needs it (a table or right missing).
    """
    if isinstance(error, asyncpg.PostgresError):
        return _state(error)[:2] in _CONTENT_CLASSES
    return isinstance(error, ValueError | TypeError)  # by the encoding of values, asyncpg's included


def _unencodable(error: BaseException) -> bool:
    """asyncpg's own DataError, which is an InterfaceError and hides behind Postgres's of the same name."""
    return isinstance(error, ValueError)


def _state(error: asyncpg.PostgresError) -> str:
    return getattr(error, "sqlstate", None) or ""
