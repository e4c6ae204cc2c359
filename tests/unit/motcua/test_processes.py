"""Replicas in the one table of processes and settings; that services take it, the compose tests show."""

from pathlib import Path

from motcua.processes import SERVICES, Site, http_ports, service_settings

SITE = Site(
    kafka="127.0.0.1:29092",
    databases={service: f"postgresql://motcua_{service}@127.0.0.1/motcua" for service in SERVICES},
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
