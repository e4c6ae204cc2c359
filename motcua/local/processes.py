"""The processes of a centre and all their settings: one table for `up`, the demo and compose."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from motcua.local.database import OPS, SERVICES
from motcua.local.keys import RECEIPTS
from shared.kernel.clock import ClockKind

PROCESSES = (*SERVICES, OPS)
"""The services, then ops, which observes them and has no schema; in starting order."""
_SIMULATED_TICK_SECONDS = 0.1
"""Short, since a player of a past waits after each window until every threshold is published."""
_PORT_OFFSETS: Mapping[str, int] = {"desk": 0, "intake": 1, "routing": 2, "sla": 3, "notify": 4, "ops": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The addresses and files of a running centre. `databases` maps services to URLs; paths are absolute.

    `hosts` maps parts (services, `smtp`, `sms`) to their host, if they are not on this machine.
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
        """The host of a part."""
        return self.hosts.get(part, "127.0.0.1")

    def url(self, service: str) -> str:
        """The base URL of a service's HTTP API."""
        return f"http://{self.host(service)}:{self.http_ports[service]}"

    @property
    def tokens_folder(self) -> Path:
        """The folder with one file per key that a process sends; only the owner can read them."""
        return self.home / "tokens"


def http_ports(base: int) -> dict[str, int]:
    """The port of each service, counted from `base`."""
    return {service: base + offset for service, offset in _PORT_OFFSETS.items()}


def service_command(service: str) -> list[str]:
    """The command that runs a service."""
    return [sys.executable, "-m", f"services.{service}", "run"]


def service_settings(service: str, site: Site, *, replica: int = 0, port: int | None = None) -> dict[str, str]:
    """All settings of one service, as environment variables.

    Another replica needs its own `replica` number, which is part of its member name, and its own port.
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
    """The commands that run the embedded providers; messages are stored in the inbox of the home folder."""
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
