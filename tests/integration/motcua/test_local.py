"""A local centre on a Kafka and a Postgres that are there already: neither is started, neither is stopped."""

from pathlib import Path

from motcua.embedded import kafka
from motcua.embedded.ports import free_port
from motcua.embedded.postgres import Postgres
from motcua.local import LocalCentre
from motcua.settings import MotcuaSettings


def test_existing_servers_are_used_and_left_alone(broker: kafka.Broker, postgres: Postgres, tmp_path: Path) -> None:
    """With both settings given, only sinks and services are started; a replica gets a name and a port of its own."""
    settings = MotcuaSettings(
        home=tmp_path,
        kafka=broker.bootstrap,
        database=postgres.url,
        http_port=free_port(span=6),
        smtp_port=free_port(),
        smtp_control_port=free_port(),
        sms_port=free_port(),
    )
    local = LocalCentre(settings)
    try:
        local.start(["routing"])
        local.start_service("routing", replica=1, port=free_port())
        local.wait_ready("routing-1")
        assert list(local.parts) == ["smtp", "sms", "routing", "routing-1"]
        assert [local.not_ready(name) for name in local.parts] == [None] * 4
    finally:
        local.stop()
    assert broker.running
    assert postgres.running
