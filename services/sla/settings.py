"""Sla's settings: those of every service, and how often the ticker looks."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class SlaSettings(ServiceSettings):
    """Prefix SLA_."""

    model_config = SettingsConfigDict(env_prefix="SLA_")

    port: int = 8103
    tick_seconds: float = Field(default=1.0, gt=0)
    """Machine time between two looks at the thresholds."""
