"""Which database errors are tried again, which are a record's own doing, and which end the process."""

import asyncpg
import pytest
from asyncpg.exceptions import _base

from shared.postgres.errors import is_content, is_transient

PASSING = [
    ConnectionRefusedError(),
    TimeoutError(),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress"),
    asyncpg.ConnectionDoesNotExistError(),
    asyncpg.CannotConnectNowError(),
    asyncpg.AdminShutdownError(),
    asyncpg.QueryCanceledError(),
    asyncpg.TooManyConnectionsError(),
    asyncpg.DiskFullError(),
    asyncpg.DeadlockDetectedError(),
    asyncpg.SerializationError(),
    asyncpg.LockNotAvailableError(),
    asyncpg.IdleInTransactionSessionTimeoutError(),
    asyncpg.exceptions.IdleSessionTimeoutError(),
    asyncpg.ReadOnlySQLTransactionError(),
    asyncpg.InvalidCachedStatementError(),
]
CONTENT = [
    asyncpg.UniqueViolationError(),
    asyncpg.CheckViolationError(),
    asyncpg.NotNullViolationError(),
    asyncpg.NumericValueOutOfRangeError(),
    asyncpg.UntranslatableCharacterError(),
    asyncpg.ProgramLimitExceededError(),
    asyncpg.RaiseError(),
    _base.DataError("value out of int64 range"),  # asyncpg's own, before anything is sent
    ValueError("too many bytes for Kafka"),
    TypeError("not JSON serializable"),
]
NEITHER = [
    asyncpg.UndefinedTableError(),
    asyncpg.UndefinedColumnError(),
    asyncpg.InsufficientPrivilegeError(),
    asyncpg.InvalidPasswordError(),
    asyncpg.InvalidCatalogNameError(),
    asyncpg.FeatureNotSupportedError(),
    asyncpg.InternalServerError(),
    KeyError("a fault of ours"),
]


def named(errors: list[Exception]) -> list[object]:
    return [pytest.param(error, id=type(error).__name__) for error in errors]


@pytest.mark.parametrize("error", named(PASSING))
def test_what_passes_is_tried_again_and_blames_nobody(error: Exception) -> None:
    """The same transaction may succeed later, on a fresh connection."""
    assert is_transient(error)
    assert not is_content(error)


@pytest.mark.parametrize("error", named(CONTENT))
def test_what_cannot_be_stored_is_the_content(error: Exception) -> None:
    """No retry makes it storable; the record is parked."""
    assert is_content(error)
    assert not is_transient(error)


@pytest.mark.parametrize("error", named(NEITHER))
def test_a_database_that_is_not_as_needed_is_neither(error: Exception) -> None:
    """A missing table parks no dossiers: the process ends and says what it lacks."""
    assert not is_content(error)
    assert not is_transient(error)
