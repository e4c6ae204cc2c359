"""ops's settings, from the environment (OPS_…)."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class OpsSettings(ServiceSettings):
    """`database_url` is that of the role that sees what waits and nothing else; `member` tells replicas apart.

    On a set centre the present, for what the page shows, is the latest event's time.
    """

    model_config = SettingsConfigDict(env_prefix="OPS_")

    port: int = 8105
