"""`motcua prepare`: prepare an existing Kafka and Postgres for a centre."""

from motcua.cli.console import out
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load


def prepare() -> None:
    """Prepare an existing Kafka and Postgres for a centre: database, migrations, topics, API keys. Can be repeated."""
    from motcua.local.prepare import prepare as prepare_servers

    prepare_servers(load(MotcuaSettings), out.print)
