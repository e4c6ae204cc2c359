"""Settings of intake, named `INTAKE_…` in the environment."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """The common settings of a service; intake's rules are in the centre's folder."""

    model_config = SettingsConfigDict(env_prefix="INTAKE_")
