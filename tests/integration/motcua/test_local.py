"""A local centre on an existing Kafka and Postgres, which it neither starts nor stops."""

import shutil
from pathlib import Path

from motcua.local.centre import LocalCentre
from motcua.local.embedded import kafka
from motcua.local.embedded.ports import free_port
from motcua.local.embedded.postgres import Postgres
from motcua.local.prepare import prepare_database
from motcua.local.settings import MotcuaSettings
from shared.catalogue import load_centre
from tests.support import eventually_sync

CENTRE = Path(__file__).parents[3] / "config" / "binh-phuoc"


def settings_for(home: Path, broker: kafka.Broker, postgres: Postgres, centre: Path = CENTRE) -> MotcuaSettings:
    """Settings with the existing servers and free ports."""
    return MotcuaSettings(
        home=home,
        centre=centre,
        kafka=broker.bootstrap,
        database=postgres.url,
        http_port=free_port(span=6),
        smtp_port=free_port(),
        smtp_control_port=free_port(),
        sms_port=free_port(),
    )


def test_existing_servers_are_not_started_or_stopped(broker: kafka.Broker, postgres: Postgres, tmp_path: Path) -> None:
    """With both settings only sinks and services are started; a replica has its own name and port."""
    local = LocalCentre(settings_for(tmp_path, broker, postgres))
    try:
        local.start(["routing"])
        local.start_service("routing", replica=1, port=free_port())
        local.wait_ready("routing-1")
        assert list(local.parts) == ["smtp", "sms", "routing", "routing-1"]
        assert [local.reason_not_ready(name) for name in local.parts] == [None] * 4
    finally:
        local.stop()
    assert broker.running
    assert postgres.running


def test_service_with_another_configuration_does_not_start(
    broker: kafka.Broker, postgres: Postgres, tmp_path: Path
) -> None:
    """A service with another version of the configuration refuses to start and names both versions.
    After the centre is prepared again, it starts.
    """
    folder = tmp_path / "centre"
    shutil.copytree(CENTRE, folder)
    settings = settings_for(tmp_path / "home", broker, postgres, folder)
    local = LocalCentre(settings)
    try:
        local.start(["routing"])
        prepared_for = local.centre.catalogue_version
        with (folder / "centre.toml").open("a") as file:
            file.write("# edited by hand\n")
        changed = load_centre(folder).catalogue_version
        other = local.start_service("routing", replica=1, port=free_port())
        assert eventually_sync(lambda: other.exit_code is not None, within=30)
        assert other.exit_code == 3
        for version in (prepared_for, changed):
            assert version in other.last_lines()
        assert "motcua prepare" in other.last_lines()
        prepare_database(settings, ["routing"], lambda _: None, catalogue_version=changed)
        local.parts.pop("routing-1")
        local.start_service("routing", replica=1, port=free_port())
        local.wait_ready("routing-1")
    finally:
        local.stop()
