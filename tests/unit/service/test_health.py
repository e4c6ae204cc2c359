"""Readiness names the parts that make no progress, and the reasons."""

from shared.service.health import Health


def test_expected_part_is_starting_until_it_registers() -> None:
    """A process is not ready before every expected part has registered its check."""
    health = Health("consumer")
    assert health.readiness().reasons == {"consumer": "starting"}
    health.register("consumer", lambda: None)
    assert health.readiness().ready


def test_reasons_of_all_parts_are_reported() -> None:
    """Each part has its own reason."""
    health = Health()
    health.register("consumer", lambda: "no progress for 70 s")
    health.register("database", lambda: "no answer")
    assert health.readiness().reasons == {"consumer": "no progress for 70 s", "database": "no answer"}


def test_broken_check_is_a_reason() -> None:
    """A failing check is itself a reason."""
    health = Health()
    health.register("consumer", lambda: str(1 / 0))
    assert health.readiness().reasons == {"consumer": "the check failed: ZeroDivisionError"}
