"""Settings of ops, from the environment (`OPS_…`)."""

from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class OpsSettings(ServiceSettings):
    """Settings of ops. `database_url` is for the database role that may read only stored offsets and backlogs.

    `member` is the name of this replica. With a simulated clock, the page shows the time of the latest event as the
    present.
    """

    model_config = SettingsConfigDict(env_prefix="OPS_")

    port: int = 8105
