"""Settings of the command `motcua`, as environment variables with the prefix MOTCUA_."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ClockSetting, Settings, user_cache

if TYPE_CHECKING:
    from motcua.local.embedded.kafka import Toolchain


class MotcuaSettings(Settings):
    """Settings of the command `motcua` and of the local centre that it runs. Ports are on 127.0.0.1."""

    model_config = SettingsConfigDict(env_prefix="MOTCUA_")

    home: Path = Path(".local")
    """The folder for all files written at run time."""
    centre: Path = Path("config/binh-phuoc")
    """The centre's configuration folder."""
    clock: ClockSetting = "system"
    """Whether the centre follows the machine's time or a client advances it; fixed at the first start."""
    clock_starts_at: AwareDatetime | None = None
    """A simulated clock's first instant, for example 2017-04-28T00:00:00+07:00."""
    cache: Path = Field(default_factory=lambda: user_cache() / "motcua")
    """What is downloaded once for a user: the jars of the embedded broker."""
    java: str | None = None
    """The Java (17 or newer) that runs the embedded broker, a name on PATH or a path; none: the first that is found."""
    maven: str = "mvn"
    """The Maven that fetches the broker's jars, if it is present."""
    maven_mirror: str | None = Field(default=None, repr=False, pattern=r"^https?://")
    """The repository from which the jars are downloaded without Maven; none: the one of the package maven-artifact."""
    kafka: str | None = None
    """Bootstrap servers of an existing cluster (`host:port,host:port`); without it an embedded broker is started."""
    kafka_replication: int = Field(default=1, ge=1)
    """Replicas of each partition; with 3, two must acknowledge each record."""
    kafka_port: int = Field(default=29092, ge=1, le=65535)
    database: str | None = Field(default=None, repr=False, pattern=r"^postgres(ql)?://")
    """Superuser URL of an existing Postgres (16 or newer); without it an embedded server is started."""
    passwords: dict[str, str] = Field(default_factory=dict, repr=False)
    """Passwords of the roles on an existing Postgres: a JSON object from service, `verify` or `ops` to password."""
    database_port: int = Field(default=25432, ge=1, le=65535)
    http_port: int = Field(default=8100, ge=1, le=65535)
    """First of six consecutive ports: desk, intake, routing, sla, notify, ops."""
    smtp_port: int = Field(default=2525, ge=1, le=65535)
    smtp_control_port: int = Field(default=8191, ge=1, le=65535)
    """HTTP port for setting the behaviour of the mail sink, such as slow or failing."""
    sms_port: int = Field(default=8190, ge=1, le=65535)

    def toolchain(self, progress: Callable[[str], None] = lambda _: None) -> "Toolchain":
        """Find Java and the jars of the embedded broker; download missing jars, with messages to `progress`.

        Blocks. Raises StartError with the remedies.
        """
        from motcua.local.embedded.kafka import prepare  # with httpx, which most commands do without

        return prepare(self.cache, java=self.java, maven=self.maven, mirror=self.maven_mirror, progress=progress)

    @property
    def bootstrap(self) -> str:
        """The bootstrap servers of the existing cluster, or of the embedded broker if none is set."""
        return self.kafka or f"127.0.0.1:{self.kafka_port}"

    def database_url(self, service: str) -> str:
        """Return the database URL for the role of a service, of `verify` or of `ops`."""
        from motcua.local.database import url_for  # imports psycopg, which most commands do not need

        return url_for(self.admin_url, service, password=self.passwords.get(service))

    @property
    def admin_url(self) -> str:
        """The superuser's database URL: of the existing server, or of the embedded one if none is set."""
        from motcua.local.embedded.postgres import superuser_url

        return self.database or superuser_url(self.database_port)
