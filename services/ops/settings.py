"""Settings of ops, from the environment (`OPS_…`)."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class OpsSettings(ServiceSettings):
    """`database_url` is for the role that may read offsets and backlogs only; `member` identifies the replica.

    With a simulated clock, the page shows the time of the latest event as the present.
    """

    model_config = SettingsConfigDict(env_prefix="OPS_")

    port: int = 8105
