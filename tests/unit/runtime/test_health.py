"""Readiness says which part does not get on, and why."""

from shared.service.health import Health


def test_expected_part_is_starting_until_it_registers() -> None:
    """A process is not ready before all that it consists of has spoken."""
    health = Health("consumer")
    assert health.readiness().reasons == {"consumer": "starting"}
    health.register("consumer", lambda: None)
    assert health.readiness().ready


def test_reasons_of_all_parts_are_told() -> None:
    """Two troubles are two reasons."""
    health = Health()
    health.register("consumer", lambda: "no progress for 70 s")
    health.register("database", lambda: "no answer")
    assert health.readiness().reasons == {"consumer": "no progress for 70 s", "database": "no answer"}


def test_broken_check_is_a_reason() -> None:
    """A check that fails must not hide the others."""
    health = Health()
    health.register("consumer", lambda: str(1 / 0))
    assert health.readiness().reasons == {"consumer": "its check failed: ZeroDivisionError"}
