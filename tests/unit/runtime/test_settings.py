"""Invalid settings prevent the start; the error names the variable, never its value."""

from pathlib import Path

import pytest
from pydantic_settings import SettingsConfigDict

from shared.kernel.errors import StartError
from shared.runtime.settings import ServiceSettings, load


class TrialSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TRIAL_")

    reach: int = 3


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {
        "KAFKA_BOOTSTRAP": "127.0.0.1:29092",
        "DATABASE_URL": "postgresql://trial:hidden@127.0.0.1/motcua",
        "MEMBER": "trial-1",
        "PORT": "8100",
        "KEYS_FILE": "/run/keys.toml",
    }.items():
        monkeypatch.setenv(f"TRIAL_{name}", value)
    return monkeypatch


def test_complete_environment_is_loaded_as_typed_values(environment: pytest.MonkeyPatch) -> None:
    """Variables are converted; missing optional ones have defaults for one machine."""
    environment.setenv("TRIAL_REACH", "5")
    settings = load(TrialSettings)
    assert (settings.port, settings.reach, settings.keys_file) == (8100, 5, Path("/run/keys.toml"))
    assert (settings.host, settings.epoch, settings.centre) == ("127.0.0.1", 1, Path("config/binh-phuoc"))


def test_all_missing_variables_are_reported_at_once(environment: pytest.MonkeyPatch) -> None:
    """The error names every missing variable."""
    environment.delenv("TRIAL_MEMBER")
    environment.setenv("TRIAL_DATABASE_URL", "")
    with pytest.raises(StartError, match="TRIAL_DATABASE_URL is not set") as caught:
        load(TrialSettings)
    assert "TRIAL_MEMBER is not set" in str(caught.value)


def test_invalid_variable_is_reported_without_its_value(environment: pytest.MonkeyPatch) -> None:
    """The error names the variable, but not its value, which may be a misplaced password."""
    environment.setenv("TRIAL_PORT", "hidden-password")
    with pytest.raises(StartError, match="TRIAL_PORT: write a whole number") as caught:
        load(TrialSettings)
    assert "hidden-password" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_unknown_variable_is_reported(environment: pytest.MonkeyPatch) -> None:
    """An unknown variable with the prefix is an error, with a suggestion."""
    environment.setenv("TRIAL_EPOCHE", "2")
    with pytest.raises(StartError, match=r"TRIAL_EPOCHE is not a setting \(did you mean TRIAL_EPOCH\?\)"):
        load(TrialSettings)


def test_representation_has_no_password(environment: pytest.MonkeyPatch) -> None:
    """The representation of settings does not contain the DSN."""
    assert "hidden" not in repr(load(TrialSettings))
