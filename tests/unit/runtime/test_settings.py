"""Settings stop the start by the variable's name, and show no value."""

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


def test_complete_environment_gives_typed_values(environment: pytest.MonkeyPatch) -> None:
    """What the environment holds arrives as values; the rest takes the defaults of one machine."""
    environment.setenv("TRIAL_REACH", "5")
    settings = load(TrialSettings)
    assert (settings.port, settings.reach, settings.keys_file) == (8100, 5, Path("/run/keys.toml"))
    assert (settings.host, settings.epoch, settings.centre) == ("127.0.0.1", 1, Path("config/binh-phuoc"))


def test_every_missing_variable_is_named_at_once(environment: pytest.MonkeyPatch) -> None:
    """A start that fails says all that is missing, not the first of it."""
    environment.delenv("TRIAL_MEMBER")
    environment.setenv("TRIAL_DATABASE_URL", "")
    with pytest.raises(StartError, match="TRIAL_DATABASE_URL is not set") as caught:
        load(TrialSettings)
    assert "TRIAL_MEMBER is not set" in str(caught.value)


def test_wrong_value_is_named_and_not_shown(environment: pytest.MonkeyPatch) -> None:
    """A value may be a password put in the wrong place."""
    environment.setenv("TRIAL_PORT", "hidden-password")
    with pytest.raises(StartError, match="TRIAL_PORT: write a whole number") as caught:
        load(TrialSettings)
    assert "hidden-password" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_misspelt_variable_stops_the_start(environment: pytest.MonkeyPatch) -> None:
    """A setting that nobody knows would otherwise be lost in silence."""
    environment.setenv("TRIAL_EPOCHE", "2")
    with pytest.raises(StartError, match=r"TRIAL_EPOCHE is not a setting \(did you mean TRIAL_EPOCH\?\)"):
        load(TrialSettings)


def test_shown_settings_hide_the_database_password(environment: pytest.MonkeyPatch) -> None:
    """Whoever prints settings must not print a DSN."""
    assert "hidden" not in repr(load(TrialSettings))
