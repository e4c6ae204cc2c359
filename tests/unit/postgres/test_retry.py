"""The retry of a whole transaction."""

import asyncpg
import pytest
from structlog.testing import capture_logs

from shared.kernel.errors import TransientError
from shared.postgres.retry import PersistentViolationError, transact


def violation(constraint: str) -> asyncpg.UniqueViolationError:
    error: asyncpg.UniqueViolationError = asyncpg.UniqueViolationError("Key (id)=(Lan) already exists")
    error.table_name, error.constraint_name = "events", constraint
    return error


async def test_violation_by_a_concurrent_insert_is_retried() -> None:
    """The next attempt reads the other transaction's row."""
    errors = [violation("events_pkey")]

    async def attempt() -> str:
        if errors:
            raise errors.pop()
        return "done"

    assert await transact(attempt) == "done"


async def test_violation_at_every_attempt_is_no_transient_error() -> None:
    """The alarm has the constraint and no values."""

    async def attempt() -> None:
        raise violation("events_pkey")

    with capture_logs() as logs, pytest.raises(PersistentViolationError, match="events_pkey of events") as raised:
        await transact(attempt, attempts=3)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None, "its traceback would show the values"
    (line,) = [entry for entry in logs if entry["event"] == "unique_violation_persists"]
    assert (line["constraint"], line["attempts"], line["log_level"]) == ("events_pkey", 3, "error")
    assert "Lan" not in str(line)


async def test_violations_of_different_constraints_are_transient() -> None:
    """Concurrent requests may violate one constraint after the other."""
    names = iter(["events_pkey", "idempotency_keys_pkey", "events_pkey"])

    async def attempt() -> None:
        raise violation(next(names))

    with pytest.raises(TransientError):
        await transact(attempt, attempts=3)
