"""Routing's settings: those of every service."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class RoutingSettings(ServiceSettings):
    """Prefix ROUTING_."""

    model_config = SettingsConfigDict(env_prefix="ROUTING_")

    port: int = 8102
