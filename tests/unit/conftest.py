"""Unit tests open no sockets: what needs one is an integration test."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)  # an event loop wakes itself through one
    yield
    enable_socket()
