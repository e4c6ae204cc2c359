"""Settings of sla: those of every service, and the interval of the ticker."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class SlaSettings(ServiceSettings):
    """The settings of sla, from environment variables with the prefix SLA_."""

    model_config = SettingsConfigDict(env_prefix="SLA_")

    port: int = 8103
    tick_seconds: float = Field(default=1.0, gt=0)
    """Seconds of machine time between two checks for thresholds that have passed."""
