"""Classification of database errors: transient, content, or neither."""

import asyncpg
import pytest
from asyncpg.exceptions import _base

from shared.postgres.errors import is_content, is_transient

TRANSIENT = [
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


@pytest.mark.parametrize("error", named(TRANSIENT))
def test_transient_error_is_retried(error: Exception) -> None:
    """A transient error may not occur again on a new connection, and is not the fault of the content."""
    assert is_transient(error)
    assert not is_content(error)


@pytest.mark.parametrize("error", named(CONTENT))
def test_unstorable_content_is_not_retried(error: Exception) -> None:
    """Content that cannot be stored is not transient; its record is parked."""
    assert is_content(error)
    assert not is_transient(error)


@pytest.mark.parametrize("error", named(NEITHER))
def test_unfit_database_is_neither_transient_nor_content(error: Exception) -> None:
    """A missing table or privilege parks no dossiers and is not retried: the process ends."""
    assert not is_content(error)
    assert not is_transient(error)
