"""`motcua prepare`: prepare existing servers for a centre."""

from motcua.cli.console import out
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load


def prepare() -> None:
    """Prepare an existing Kafka and Postgres: database, migrations, topics and API keys. Can be repeated."""
    from motcua.local.prepare import prepare as prepare_servers

    prepare_servers(load(MotcuaSettings), out.print)
