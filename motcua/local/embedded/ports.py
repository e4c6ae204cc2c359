"""Free ports on the loopback interface, for several centres on one machine."""

import secrets
import socket

_RESERVED: set[int] = set()


def free_port(*, span: int = 1) -> int:
    """Find a free port; with `span`, return the first of `span` consecutive free ports. Does not open them.

    The same process never gets a port twice. The ports are below the range of ephemeral ports: in that range, a client
    that retries against a stopped server can connect to itself (TCP simultaneous open) and keep the server from
    starting again.
    """
    while True:
        first = 12_000 + secrets.randbelow(20_000)
        ports = range(first, first + span)
        if _RESERVED.isdisjoint(ports) and all(map(_is_free, ports)):
            _RESERVED.update(ports)
            return first


def free_ports(count: int) -> list[int]:
    """Find `count` free ports, each as `free_port` finds it; they need not be consecutive."""
    return [free_port() for _ in range(count)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
