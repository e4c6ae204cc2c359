"""Free ports of the loopback."""

import secrets
import socket

_GIVEN: set[int] = set()


def free_port() -> int:
    """A port nobody listens on, given once a run.

    Taken below the range from which the system numbers outgoing connections: a client that retries against a stopped
    server there can connect to itself, and then the server cannot come back.
    """
    while True:
        port = 12_000 + secrets.randbelow(20_000)
        if port in _GIVEN:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _GIVEN.add(port)
        return port


def free_ports(count: int) -> list[int]:
    """As many free ports."""
    return [free_port() for _ in range(count)]
