"""The commands and settings of all processes of a centre, in one place for `up`, the demo and compose."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from motcua.local.database import OPS, SERVICES
from motcua.local.keys import RECEIPTS
from shared.kernel.clock import ClockKind

PROCESSES = (*SERVICES, OPS)
"""All services in starting order. The last is ops, which observes the others and has no schema."""
_SIMULATED_TICK_SECONDS = 0.1
"""Short, since a replay waits after each window until every threshold is published."""
_PORT_OFFSETS: Mapping[str, int] = {"desk": 0, "intake": 1, "routing": 2, "sla": 3, "notify": 4, "ops": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The addresses and files of a centre, from which the settings of its processes are built. Paths are absolute.

    `databases` maps services (and `verify`, `ops`) to database URLs. `hosts` maps services, `smtp` and `sms` to their
    host name, if they are not on this machine.
    """

    kafka: str
    databases: Mapping[str, str]
    centre: Path
    home: Path
    keys_file: Path
    http_ports: Mapping[str, int]
    smtp_port: int
    smtp_control_port: int
    sms_port: int
    hosts: Mapping[str, str] = field(default_factory=dict)
    clock: ClockKind = "system"
    clock_starts_at: datetime | None = None

    def host(self, part: str) -> str:
        """Return the host name of a service, of `smtp` or of `sms`; 127.0.0.1 if `hosts` does not contain it."""
        return self.hosts.get(part, "127.0.0.1")

    def url(self, service: str) -> str:
        """Return the base URL of a service's HTTP API."""
        return f"http://{self.host(service)}:{self.http_ports[service]}"

    @property
    def tokens_folder(self) -> Path:
        """The folder with one file for each secret that a process sends to another; only its owner can read them."""
        return self.home / "tokens"


def http_ports(base: int) -> dict[str, int]:
    """Return the HTTP port of each service: `base` plus the fixed offset of the service."""
    return {service: base + offset for service, offset in _PORT_OFFSETS.items()}


def service_command(service: str) -> list[str]:
    """Return the command line that runs a service."""
    return [sys.executable, "-m", f"services.{service}", "run"]


def service_settings(service: str, site: Site, *, replica: int = 0, port: int | None = None) -> dict[str, str]:
    """Build all settings of one process of a service, as environment variables.

    A second process of the same service needs its own `replica` number, which is part of its member name, and its own
    `port`.
    """
    prefix = service.upper()
    common = {
        "KAFKA_BOOTSTRAP": site.kafka,
        "DATABASE_URL": site.databases[service],
        "MEMBER": f"{service}-{replica}",
        "PORT": str(port if port is not None else site.http_ports[service]),
        "CENTRE": str(site.centre),
        "KEYS_FILE": str(site.keys_file),
    }
    own = _OWN[service](site) if service in _OWN else {}
    return {f"{prefix}_{name}": value for name, value in (common | _clock(site) | own).items()}


def _clock(site: Site) -> dict[str, str]:
    if site.clock == "system":
        return {}
    starts_at = {"CLOCK_STARTS_AT": site.clock_starts_at.isoformat()} if site.clock_starts_at else {}
    return {"CLOCK": site.clock, **starts_at}


def _notify(site: Site) -> dict[str, str]:
    return {
        "INTAKE_URL": site.url("intake"),
        "INTAKE_KEY_FILE": str(site.tokens_folder / "notify"),
        "SMTP_HOST": site.host("smtp"),
        "SMTP_PORT": str(site.smtp_port),
        "SMS_URL": f"http://{site.host('sms')}:{site.sms_port}",
        "RECEIPT_KEY_FILE": str(site.tokens_folder / RECEIPTS),
    }


def _sla(site: Site) -> dict[str, str]:
    return {} if site.clock == "system" else {"TICK_SECONDS": str(_SIMULATED_TICK_SECONDS)}


_OWN = {"notify": _notify, "sla": _sla}


def sink_commands(site: Site) -> dict[str, list[str]]:
    """Return the command lines of the message sinks by name, `smtp` and `sms`.

    The sinks store messages in the inbox of the home folder; the SMS sink sends delivery receipts to notify.
    """
    run = [sys.executable, "-m", "motcua.local.sinks"]
    home = ["--home", str(site.home)]
    receipts = [
        *("--receipt-url", f"{site.url('notify')}/receipts"),
        *("--receipt-key-file", str(site.tokens_folder / RECEIPTS)),
    ]
    return {
        "smtp": [*run, "smtp", *home, "--port", str(site.smtp_port), "--control-port", str(site.smtp_control_port)],
        "sms": [*run, "sms", *home, "--port", str(site.sms_port), *receipts],
    }


__all__ = ["PROCESSES", "SERVICES", "Site", "http_ports", "service_command", "service_settings", "sink_commands"]
