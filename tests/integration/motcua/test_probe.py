"""A container's health check: no output and status 0 if the part is healthy, else a message and 1."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from motcua.cli.probe import fault
from tests.support import free_port


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ready = self.path == "/readyz"
        self.send_response(200 if ready else 503)
        self.end_headers()
        self.wfile.write(b'{"reasons": {"consumer": "no progress"}}')

    def log_message(self, *_: object) -> None:
        """Write no log."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", free_port()), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_healthy_part_passes(port: int) -> None:
    """A service needs status 200, a sink an open port."""
    assert fault(f"http://127.0.0.1:{port}/readyz") is None
    assert fault(f"tcp://127.0.0.1:{port}") is None


def test_reasons_of_the_service_are_in_the_message(port: int) -> None:
    """The reasons of `/readyz` appear in the container's health log."""
    assert "no progress" in (fault(f"http://127.0.0.1:{port}/other") or "")


@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_part_that_does_not_listen_fails(scheme: str) -> None:
    """The message has the address."""
    address = f"{scheme}://127.0.0.1:{free_port()}"
    assert (fault(address) or "").startswith(address)


@pytest.mark.parametrize("address", ["127.0.0.1:80", "http://127.0.0.1", "ftp://127.0.0.1:21", ""])
def test_invalid_address_is_reported(address: str) -> None:
    """A wrong address in the compose file is a message, not a traceback."""
    assert "expected http://" in (fault(address) or "")
