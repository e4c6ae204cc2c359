"""The start of a local centre's services: ready is required, progress is awaited and reported."""

from pathlib import Path

import pytest

from motcua.local import centre
from motcua.local.centre import LocalCentre
from motcua.local.settings import MotcuaSettings
from shared.kernel.errors import StartError

CENTRE = Path(__file__).parents[3] / "config" / "binh-phuoc"


class Service(LocalCentre):
    """A centre whose only service gives the reasons that the test sets."""

    not_ready: str | None = None
    not_advancing: str | None = None

    def reason_not_ready(self, name: str) -> str | None:
        return self.not_ready

    def reason_not_advancing(self, name: str) -> str | None:
        return self.not_ready or self.not_advancing


def test_service_that_does_not_advance_is_accepted_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped partition must not prevent acts."""
    monkeypatch.setattr(centre, "_READY_SECONDS", 0.0)
    lines: list[str] = []
    local = Service(MotcuaSettings(home=tmp_path, centre=CENTRE), progress=lines.append)
    local.not_advancing = "consumer: a partition has stopped"
    local.wait_ready("intake")
    assert lines == ["intake makes no progress (consumer: a partition has stopped)."]


def test_service_that_is_not_ready_prevents_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers no request."""
    monkeypatch.setattr(centre, "_READY_SECONDS", -1.0)
    local = Service(MotcuaSettings(home=tmp_path, centre=CENTRE))
    local.not_ready = "database: no answer"
    local.parts["intake"] = Child()  # type: ignore[assignment]  # only its log is read
    with pytest.raises(StartError, match="intake is not ready after"):
        local.wait_ready("intake")


class Child:
    """The process of the service, as far as the message needs it."""

    log = Path("intake.log")
    exit_code = None

    def last_lines(self) -> str:
        """No output."""
        return ""
