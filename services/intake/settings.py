"""Settings of intake, named `INTAKE_…` in the environment."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """The settings that all services have in common; intake adds none, since its rules are in the centre's folder."""

    model_config = SettingsConfigDict(env_prefix="INTAKE_")
