"""The settings of a centre's processes; the tests of compose show that services accept them."""

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


def test_replica_has_its_own_member_name_and_port() -> None:
    """Two members with one name would displace each other forever."""
    first, second = service_settings("sla", SITE), service_settings("sla", SITE, replica=1, port=9000)
    differing = {name for name in first if first[name] != second[name]}
    assert differing == {"SLA_MEMBER", "SLA_PORT"}


@pytest.mark.parametrize("service", PROCESSES)
def test_simulated_clock_is_a_setting_of_every_service(service: str) -> None:
    """Every service has the simulated clock; one with a system clock would refuse past events."""
    starts_at = datetime(2017, 4, 28, tzinfo=UTC)
    settings = service_settings(service, replace(SITE, clock="simulated", clock_starts_at=starts_at))
    prefix = service.upper()
    assert settings[f"{prefix}_CLOCK"] == "simulated"
    assert settings[f"{prefix}_CLOCK_STARTS_AT"] == "2017-04-28T00:00:00+00:00"
    assert f"{prefix}_CLOCK" not in service_settings(service, SITE)
