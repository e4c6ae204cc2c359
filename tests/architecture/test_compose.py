"""docker-compose.yml starts what `motcua up` starts, with the same settings."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from motcua.local.database import url_for
from motcua.local.embedded.kafka import KAFKA_VERSION
from motcua.local.processes import PROCESSES, Site, http_ports, service_command, service_settings, sink_commands
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import ServiceSettings, load
from tests.architecture.tree import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
SINKS = ("smtp", "sms")

SITE = Site(
    kafka="kafka:9092",
    databases={
        service: url_for("postgresql://postgres@postgres:5432/postgres", service, password=f"{service}-password")
        for service in PROCESSES
    },
    centre=Path("/app/config/binh-phuoc"),
    home=Path("/var/lib/motcua"),
    keys_file=Path("/var/lib/motcua/keys.toml"),
    http_ports=http_ports(MotcuaSettings.model_fields["http_port"].default),
    smtp_port=MotcuaSettings.model_fields["smtp_port"].default,
    smtp_control_port=MotcuaSettings.model_fields["smtp_control_port"].default,
    sms_port=MotcuaSettings.model_fields["sms_port"].default,
    hosts={part: part for part in (*PROCESSES, *SINKS)},
)
"""The centre as the compose file sets it up: each part has a host of the same name."""


def _filled(value: object) -> str:
    """A value with each password replaced by one that names its role, as compose substitutes variables."""
    return re.sub(r"\$\{(\w+)_PASSWORD:\?[^}]*\}", lambda found: f"{found[1].lower()}-password", str(value))


def environment(part: str) -> dict[str, str]:
    """The environment of a container."""
    return {name: _filled(value) for name, value in PARTS[part].get("environment", {}).items()}


def test_compose_starts_the_parts_of_up() -> None:
    """The compose file starts services, sinks, broker, database and the preparation, and no other part."""
    assert set(PARTS) == {*PROCESSES, *sink_commands(SITE), "kafka", "postgres", "prepare"}


@pytest.mark.parametrize("service", PROCESSES)
def test_service_has_the_settings_of_up(service: str) -> None:
    """A service has the settings and values of `motcua up`; only its listening address differs."""
    given = environment(service)
    assert given.pop(f"{service.upper()}_HOST") == "0.0.0.0"
    assert given == service_settings(service, SITE)


@pytest.mark.parametrize("service", PROCESSES)
def test_service_accepts_its_settings(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings class of a service accepts its environment: no setting is missing or unknown."""
    module = importlib.import_module(f"services.{service}.settings")
    settings = next(
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, ServiceSettings) and thing is not ServiceSettings
    )
    for name, value in environment(service).items():
        monkeypatch.setenv(name, value)
    assert load(settings).port == SITE.http_ports[service]


@pytest.mark.parametrize("service", PROCESSES)
def test_service_has_the_command_of_up(service: str) -> None:
    """A service is started by `python -m services.<name> run`."""
    assert PARTS[service]["command"][1:] == service_command(service)[1:]


@pytest.mark.parametrize("sink", SINKS)
def test_sink_has_the_command_of_up(sink: str) -> None:
    """A sink has the command of `motcua up`; only its listening address differs."""
    assert PARTS[sink]["command"][1:] == [*sink_commands(SITE)[sink][1:], "--host", "0.0.0.0"]


def test_prepare_accepts_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The preparation has the password of every role, and the broker, databases and folders that services use."""
    for name, value in environment("prepare").items():
        monkeypatch.setenv(name, value)
    settings = load(MotcuaSettings)
    assert settings.bootstrap == SITE.kafka
    assert {service: settings.database_url(service) for service in PROCESSES} == SITE.databases
    assert set(settings.passwords) == {*PROCESSES, "verify"}
    assert (settings.home, settings.centre) == (SITE.home, SITE.centre)


@pytest.mark.parametrize("part", PARTS)
def test_part_has_memory_limit_and_health_check(part: str) -> None:
    """Each part has a memory limit, and each part that keeps running has a health check."""
    assert PARTS[part]["mem_limit"]
    assert part == "prepare" or PARTS[part]["healthcheck"]["test"]


@pytest.mark.parametrize("part", PARTS)
def test_ports_are_published_on_loopback_only(part: str) -> None:
    """No port is published on an address other than loopback."""
    assert [port for port in PARTS[part].get("ports", []) if not port.startswith("127.0.0.1:")] == []


def test_part_starts_after_its_dependencies() -> None:
    """Broker and database start first, then the preparation, then the services. notify is after intake and sinks."""
    after = {
        part: {name: how["condition"] for name, how in PARTS[part].get("depends_on", {}).items()} for part in PARTS
    }
    assert after["prepare"] == {"kafka": "service_healthy", "postgres": "service_healthy"}
    for service in PROCESSES:
        assert after[service]["prepare"] == "service_completed_successfully"
    assert {"intake", "smtp", "sms"} <= set(after["notify"])


def test_compose_file_has_no_password() -> None:
    """Passwords come from the environment, and compose names a missing one."""
    text = json.dumps(COMPOSE)
    written = re.sub(r"\$\{(\w+):\?[^}]*\}", "", text)
    assert re.findall(r"://\w+:[^@/\"]+@", written) == []
    assert "password" not in written.lower().replace("postgres_password", "").replace("motcua_passwords", "")
    assert len(set(re.findall(r"\$\{(\w+):\?", text))) == len(PROCESSES) + 2


def test_broker_has_the_tested_version() -> None:
    """The version of the image equals that of the jars."""
    assert PARTS["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_compose_file_is_valid() -> None:
    """The compose file conforms to the schema of the compose specification, as in `make check`."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("check-jsonschema")),
            "--builtin-schema",
            "vendor.compose-spec",
            str(ROOT / "docker-compose.yml"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
