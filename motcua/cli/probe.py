"""Health check of a container: `python -m motcua.cli.probe http://…/readyz` or `tcp://host:port`.

Exit status 0: `http` answered with status 200, or `tcp` accepted a connection. Exit status 1: otherwise, with the
reason on standard error.
"""

import socket
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

_SECONDS = 2.5


def fault(address: str) -> str | None:
    """Probe the address once; return why it is not healthy, or None if it is. Each network step may block for 2.5 s."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "tcp") or parts.hostname is None or parts.port is None:
        return f"{address}: expected http://host:port/path or tcp://host:port."
    try:
        if parts.scheme == "tcp":
            socket.create_connection((parts.hostname, parts.port), timeout=_SECONDS).close()
            return None
        connection = HTTPConnection(parts.hostname, parts.port, timeout=_SECONDS)
        try:
            connection.request("GET", parts.path or "/")
            answer = connection.getresponse()
            body = answer.read(10_000).decode(errors="replace")
        finally:
            connection.close()
    except OSError as error:
        return f"{address}: {error}"
    return None if answer.status == 200 else f"{address}: {answer.status} {body}"


if __name__ == "__main__":
    found = fault(sys.argv[1]) if len(sys.argv) == 2 else __doc__
    if found:
        sys.stderr.write(f"{found}\n")
    sys.exit(1 if found else 0)
