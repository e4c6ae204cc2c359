"""The message sinks as processes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from motcua.local.embedded.ports import free_port
from motcua.local.sinks.inbox import read_inbox
from tests.support import eventually_sync

ROOT = Path(__file__).resolve().parents[3]
MESSAGE = {
    "id": "m-1",
    "from": "HCC BPHUOC",
    "to": "+84381234567",
    "text": "Ho so da co ket qua",
    "alphabet": "gsm7",
    "parts": 1,
}


@contextmanager
def sms_sink(home: Path) -> Iterator[httpx.Client]:
    """One simulator process, stopped with SIGTERM, which must end it in order."""
    port = free_port()
    command = [sys.executable, "-m", "motcua.local.sinks", "sms", "--home", str(home), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as http:
            eventually_sync(lambda: _answers(http), within=30)
            yield http
    finally:
        process.terminate()
        assert process.wait(timeout=20) in (0, -15)


def test_repeated_key_is_one_message_after_a_restart(tmp_path: Path) -> None:
    """The simulator restores its keys from the inbox."""
    for _ in range(2):
        with sms_sink(tmp_path) as http:
            assert http.post("/messages", json=MESSAGE).json() == {"id": "sim-m-1", "status": "accepted"}
            assert http.get("/messages/m-1").status_code == 200
    assert [message.text for message in read_inbox(tmp_path)] == [MESSAGE["text"]]


def test_provider_without_idempotency_delivers_twice(tmp_path: Path) -> None:
    """With `idempotent` off, a repeated key is a second message."""
    with sms_sink(tmp_path) as http:
        assert http.put("/behaviour", json={"idempotent": False, "status_query": False}).status_code == 200
        for _ in range(2):
            http.post("/messages", json=MESSAGE)
        assert http.get("/messages/m-1").status_code == 501
    assert len(read_inbox(tmp_path)) == 2


@pytest.mark.parametrize(
    "wrong", [{"to": "0381234567"}, {"from": "TRUNG TAM HCC"}, {"text": ""}, {"alphabet": "utf8"}, {"parts": 0}]
)
def test_invalid_message_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    """Numbers are E.164, brand names at most 11 characters; a refused message does not reach the inbox."""
    with sms_sink(tmp_path) as http:
        assert http.post("/messages", json=MESSAGE | wrong).status_code == 422
        assert http.put("/behaviour", json={"answers": "perhaps"}).status_code == 422
    assert read_inbox(tmp_path) == []


@pytest.mark.parametrize("kind", ["sms", "smtp"])
def test_taken_port_ends_with_status_3(tmp_path: Path, kind: str) -> None:
    """A taken port is one message and exit status 3, without a traceback."""
    with sms_sink(tmp_path) as http:
        port = str(http.base_url.port)
        command = [sys.executable, "-m", "motcua.local.sinks", kind, "--home", str(tmp_path), "--port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith(f"The {kind} sink cannot start")


def _answers(http: httpx.Client) -> bool:
    try:
        return bool(http.get("/requests").json() == {"requests": 0})
    except httpx.TransportError:
        return False
