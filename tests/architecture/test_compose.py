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
"""The same centre where compose puts it: each part on a host of its own name."""


def _filled(value: object) -> str:
    """A value as compose would hand it over, given passwords that name their role."""
    return re.sub(r"\$\{(\w+)_PASSWORD:\?[^}]*\}", lambda found: f"{found[1].lower()}-password", str(value))


def environment(part: str) -> dict[str, str]:
    """A container's environment."""
    return {name: _filled(value) for name, value in PARTS[part].get("environment", {}).items()}


def test_the_same_parts_are_started() -> None:
    """Nothing more, nothing less: services, sinks, broker, database, and the step that prepares them."""
    assert set(PARTS) == {*PROCESSES, *sink_commands(SITE), "kafka", "postgres", "prepare"}


@pytest.mark.parametrize("service", PROCESSES)
def test_service_has_all_its_settings(service: str) -> None:
    """Every setting of the one table, with its value; only where it listens differs."""
    given = environment(service)
    assert given.pop(f"{service.upper()}_HOST") == "0.0.0.0"
    assert given == service_settings(service, SITE)


@pytest.mark.parametrize("service", PROCESSES)
def test_service_takes_its_settings(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service itself would start with them: nothing missing, nothing unknown."""
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
def test_service_is_run_by_the_same_command(service: str) -> None:
    """`python -m services.<name> run`."""
    assert PARTS[service]["command"][1:] == service_command(service)[1:]


@pytest.mark.parametrize("sink", SINKS)
def test_sink_is_run_by_the_same_command(sink: str) -> None:
    """Only where it listens differs."""
    assert PARTS[sink]["command"][1:] == [*sink_commands(SITE)[sink][1:], "--host", "0.0.0.0"]


def test_prepare_takes_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step that makes database, topics and keys knows every role's password, and the places that services use."""
    for name, value in environment("prepare").items():
        monkeypatch.setenv(name, value)
    settings = load(MotcuaSettings)
    assert settings.bootstrap == SITE.kafka
    assert {service: settings.database_url(service) for service in PROCESSES} == SITE.databases
    assert set(settings.passwords) == {*PROCESSES, "verify"}
    assert (settings.home, settings.centre) == (SITE.home, SITE.centre)


@pytest.mark.parametrize("part", PARTS)
def test_part_is_bounded_and_watched(part: str) -> None:
    """Memory has a limit everywhere, and everything that runs on has a health check."""
    assert PARTS[part]["mem_limit"]
    assert part == "prepare" or PARTS[part]["healthcheck"]["test"]


@pytest.mark.parametrize("part", PARTS)
def test_ports_are_published_on_loopback_only(part: str) -> None:
    """A trial on a laptop is not a service on its network."""
    assert [port for port in PARTS[part].get("ports", []) if not port.startswith("127.0.0.1:")] == []


def test_order_of_the_start() -> None:
    """Broker and database, then what prepares them, then services; who calls another waits for it."""
    after = {
        part: {name: how["condition"] for name, how in PARTS[part].get("depends_on", {}).items()} for part in PARTS
    }
    assert after["prepare"] == {"kafka": "service_healthy", "postgres": "service_healthy"}
    for service in PROCESSES:
        assert after[service]["prepare"] == "service_completed_successfully"
    assert {"intake", "smtp", "sms"} <= set(after["notify"])


def test_passwords_stand_in_no_file() -> None:
    """They come from the environment, and compose stops by name when one is missing."""
    text = json.dumps(COMPOSE)
    written = re.sub(r"\$\{(\w+):\?[^}]*\}", "", text)
    assert re.findall(r"://\w+:[^@/\"]+@", written) == []
    assert "password" not in written.lower().replace("postgres_password", "").replace("motcua_passwords", "")
    assert len(set(re.findall(r"\$\{(\w+):\?", text))) == len(PROCESSES) + 2


def test_broker_is_the_one_that_is_tested() -> None:
    """The image's version is that of the jars."""
    assert PARTS["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_compose_file_keeps_to_the_specification() -> None:
    """Judged by the compose specification's own schema, as `make check` does."""
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
