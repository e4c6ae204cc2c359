"""Intake's settings, named `INTAKE_…` in the environment."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """Nothing of its own: what intake decides by stands in the centre's folder."""

    model_config = SettingsConfigDict(env_prefix="INTAKE_")
