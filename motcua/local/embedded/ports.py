"""Free ports of the loopback, for a centre that must not meet another one."""

import secrets
import socket

_GIVEN: set[int] = set()


def free_port(*, span: int = 1) -> int:
    """A port nobody listens on, given once a process; with `span`, the first of as many in a row.

    Taken below the range from which the system numbers outgoing connections: a client that retries against a stopped
    server there can connect to itself, and then the server cannot come back.
    """
    while True:
        first = 12_000 + secrets.randbelow(20_000)
        ports = range(first, first + span)
        if _GIVEN.isdisjoint(ports) and all(map(_is_free, ports)):
            _GIVEN.update(ports)
            return first


def free_ports(count: int) -> list[int]:
    """As many free ports."""
    return [free_port() for _ in range(count)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
