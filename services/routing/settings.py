"""Settings of routing: those of every service."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class RoutingSettings(ServiceSettings):
    """The settings of every service, read from environment variables with the prefix ROUTING_."""

    model_config = SettingsConfigDict(env_prefix="ROUTING_")

    port: int = 8102
