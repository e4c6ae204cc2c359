"""Which database errors pass by themselves."""

import asyncpg

_TRANSIENT_CLASSES = (
    "08",  # connection
    "40",  # rollback: deadlock, serialization
    "53",  # resources: disk full, too many connections
    "57",  # operator intervention: shutdown, cancelled statement
    "58",  # system error
)
_TRANSIENT_STATES = (
    "55P03",  # a lock was not to be had in time
    "25P03",  # the database ended a transaction that stood idle
    "57P05",  # the database ended a session that stood idle
)

CONNECTION_ERRORS = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError)
"""Everything that asyncpg raises; `is_transient` tells what is worth another try."""


def is_transient(error: BaseException) -> bool:
    """True where the same transaction may succeed later, on a fresh connection; false where its content is at fault."""
    if isinstance(error, asyncpg.PostgresError):
        state = getattr(error, "sqlstate", None) or ""
        return state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES
    if isinstance(error, asyncpg.DataError):  # an InterfaceError, too: a value that no retry makes storable
        return False
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError)
