"""Readiness and progress name what prevents requests and which parts make no progress, with the reasons."""

from shared.service.health import Health


async def reason() -> str | None:
    return "no answer"


async def test_readiness_depends_on_required_checks_only() -> None:
    """A part without progress does not prevent requests."""
    health = Health("consumer")
    assert (await health.readiness()).ready
    health.require("database", reason)
    assert (await health.readiness()).reasons == {"database": "no answer"}


async def test_broken_required_check_is_a_reason() -> None:
    """A failing check is itself a reason."""
    health = Health()

    async def broken() -> str | None:
        return str(1 / 0)

    health.require("database", broken)
    assert (await health.readiness()).reasons == {"database": "the check failed: ZeroDivisionError"}


def test_expected_part_is_starting_until_it_registers() -> None:
    """A process does not advance before every expected part has registered its check."""
    health = Health("consumer")
    assert health.progress().parts == {"consumer": {"ok": False, "reason": "starting"}}
    health.register("consumer", lambda: None)
    assert health.progress().advancing


def test_reasons_and_figures_of_all_parts_are_reported() -> None:
    """Each part has its own reason and figures."""
    health = Health()
    health.register("consumer", lambda: "no progress for 70 s", lambda: {"lag_records": 4})
    health.register("relay", lambda: None, lambda: {"oldest_outbox_seconds": 0.5})
    progress = health.progress()
    assert not progress.advancing
    assert progress.parts == {
        "consumer": {"ok": False, "reason": "no progress for 70 s", "lag_records": 4},
        "relay": {"ok": True, "oldest_outbox_seconds": 0.5},
    }


def test_broken_check_is_a_reason() -> None:
    """A failing check is itself a reason."""
    health = Health()
    health.register("consumer", lambda: str(1 / 0))
    assert health.progress().parts["consumer"]["reason"] == "the check failed: ZeroDivisionError"
