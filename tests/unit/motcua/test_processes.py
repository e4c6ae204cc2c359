"""Replicas in the one table of processes and settings; that services take it, the compose tests show."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from motcua.local.processes import PROCESSES, Site, http_ports, service_settings

SITE = Site(
    kafka="127.0.0.1:29092",
    databases={service: f"postgresql://motcua_{service}@127.0.0.1/motcua" for service in PROCESSES},
    centre=Path("/srv/config"),
    home=Path("/srv/home"),
    keys_file=Path("/srv/home/keys.toml"),
    http_ports=http_ports(8100),
    smtp_port=2525,
    smtp_control_port=8191,
    sms_port=8190,
)


def test_a_replica_has_a_name_and_a_port_of_its_own() -> None:
    """Two members of one name would displace each other without end."""
    first, second = service_settings("sla", SITE), service_settings("sla", SITE, replica=1, port=9000)
    differing = {name for name in first if first[name] != second[name]}
    assert differing == {"SLA_MEMBER", "SLA_PORT"}


@pytest.mark.parametrize("service", PROCESSES)
def test_a_set_centres_services_are_told_so(service: str) -> None:
    """Each of them: one that lived in the present beside the others would refuse the past."""
    begin = datetime(2017, 4, 28, tzinfo=UTC)
    settings = service_settings(service, replace(SITE, clock="simulated", clock_starts_at=begin))
    prefix = service.upper()
    assert settings[f"{prefix}_CLOCK"] == "simulated"
    assert settings[f"{prefix}_CLOCK_STARTS_AT"] == "2017-04-28T00:00:00+00:00"
    assert f"{prefix}_CLOCK" not in service_settings(service, SITE)
