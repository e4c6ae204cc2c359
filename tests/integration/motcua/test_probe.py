"""A container's health check: silent and 0 when the part gets on, a sentence and 1 otherwise."""

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
        """Nothing to say."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", free_port()), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_ready_part_passes(port: int) -> None:
    """200 is enough for a service, a connection for a sink."""
    assert fault(f"http://127.0.0.1:{port}/readyz") is None
    assert fault(f"tcp://127.0.0.1:{port}") is None


def test_reasons_are_repeated(port: int) -> None:
    """What the service says stands in the container's health log."""
    assert "no progress" in (fault(f"http://127.0.0.1:{port}/other") or "")


@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_silent_part_fails(scheme: str) -> None:
    """Nobody listens: the sentence names the address."""
    address = f"{scheme}://127.0.0.1:{free_port()}"
    assert (fault(address) or "").startswith(address)


@pytest.mark.parametrize("address", ["127.0.0.1:80", "http://127.0.0.1", "ftp://127.0.0.1:21", ""])
def test_unusable_address_is_told(address: str) -> None:
    """A slip in the compose file is a sentence, not a traceback."""
    assert "expected http://" in (fault(address) or "")
