"""What the command `motcua` may be told from outside; prefix MOTCUA_."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class MotcuaSettings(BaseSettings):
    """Settings of the tool and of the local centre that it runs. Ports are on 127.0.0.1."""

    model_config = SettingsConfigDict(env_prefix="MOTCUA_")

    home: Path = Path(".local")
    """Everything that is written at run time lies below this folder."""
    centre: Path = Path("config/binh-phuoc")
    """The centre's folder of dated data."""
    java: str = "java"
    """The Java (17 or newer) that runs the embedded broker: a name on PATH or a path."""
    maven: str = "mvn"
    """The Maven that brings the broker's jars, once."""
    kafka: str | None = None
    """Bootstrap servers of an existing cluster (`host:port,host:port`); none: an embedded broker is started."""
    kafka_replication: int = 1
    """Copies of each record; 3 wants acknowledgement by two."""
    kafka_port: int = 29092
    database: str | None = None
    """Superuser's URL of an existing Postgres (16 or newer); none: an embedded one is started."""
    database_port: int = 25432
    http_port: int = 8100
    """Base of the services' ports: desk, intake, routing, sla, notify, ops follow one another from here."""
    smtp_port: int = 2525
    sms_port: int = 8190
