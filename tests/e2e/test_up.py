"""`motcua up`: starts the whole centre, stops it in order, keeps its data, and restarts no process by itself."""

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from motcua.local.embedded import kafka
from motcua.local.sinks.inbox import read_inbox
from tests.architecture.surface import files, openapi
from tests.architecture.surface.names import in_value
from tests.architecture.tree import SERVICES
from tests.support import eventually_sync, unique
from tests.support.up import Up, installed

WALK_IN = {
    "data": {
        "procedure": "2.000908",
        "channel": "counter",
        "applicant": {"name": "Nguyễn Văn An", "phone": "0912345678", "email": "an@example.com"},
        "receive": {},
    }
}


@pytest.fixture
def up(home: Path, toolchain: kafka.Toolchain) -> Iterator[Up]:
    with installed(home, toolchain) as installation:
        yield installation


def receive(up: Up) -> str:
    """Receive a walk-in at the general counter; return the dossier's code."""
    with up.client("intake", "CLERK_41") as http:
        answer = http.post("/dossiers", json=WALK_IN, headers={"Idempotency-Key": unique("walk-in")})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["code"])


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


@pytest.fixture(scope="module")
def running(toolchain: kafka.Toolchain) -> Iterator[Up]:
    """One installation for several tests; each starts it unless it is running."""
    with (
        tempfile.TemporaryDirectory(prefix="motcua-home-") as folder,
        installed(Path(folder), toolchain) as installation,
    ):
        yield installation


@pytest.mark.timeout(400)  # starts a whole centre twice, on a machine that may be busy
def test_walk_in_reaches_the_inbox_and_survives_a_restart(running: Up) -> None:
    """A dossier received over HTTP gets a due date and an SMS. After SIGTERM (status 0, no process left), the next
    start still has it.
    """
    up = running
    up.start()
    code = receive(up)
    eventually_sync(lambda: read_inbox(up.home, addresses={"+84912345678"}), within=60)
    shown = up.run("inbox", code)
    assert "sms to +84912345678" in shown.stdout, shown.stderr
    assert code in shown.stdout
    lag = up.run("lag")
    assert lag.returncode == 0, lag.stderr
    assert "notify" in lag.stdout
    assert "Operations page: http://127.0.0.1:" in " ".join(up.output.split())
    with up.client("ops", "OPS") as http:
        eventually_sync(lambda: http.get("/views/arrivals").json()["total"] == 1, within=60)
        eventually_sync(
            lambda: {topic["group"] for topic in http.get("/lag").json()["topics"]} >= {"intake", "notify", "ops"},
            within=60,
        )
    before = up.processes()
    up.signal(signal.SIGTERM)
    assert up.wait() == 0, up.output
    assert gone(before)
    stopped = [line.removeprefix("Stopping ") for line in up.output.splitlines() if line.startswith("Stopping ")]
    assert stopped == ["ops", "notify", "sla", "routing", "intake", "sms", "smtp", "Kafka", "Postgres"]
    up.start()
    with up.client("intake", "CLERK_41") as http:
        assert http.get("/dossiers", params={"code": code}).json()["due"]["status"] == "set"


def test_collected_surface_is_that_of_the_running_centre(running: Up) -> None:
    """The surface that the architecture test collects from source equals `/openapi.json`, and covers a real dossier
    and the files in MOTCUA_HOME.
    """
    up = running
    if up.exit_code is not None or not up.output:
        up.start()
    collected = set(openapi.collect())
    for service in SERVICES:
        own = {line for line in collected if line.startswith(f"{service} ")}
        with up.client(service, "OPS") as http:
            described = set(openapi.lines_of(service, http.get("/openapi.json").json()))
            operations = {" ".join(line.split(" ")[:3]) for line in described}
            assert {line for line in own if " ".join(line.split(" ")[:3]) in operations} == described
            for _, method, path in {tuple(line.split(" ")[:3]) for line in own - described}:
                assert path == "/events" or http.request(method, path).status_code not in (404, 405)
    with up.client("intake", "CLERK_41") as http:
        answer = http.get("/dossiers", params={"code": receive(up)}).json()
    members = {f"intake GET /dossiers 200 {name}" for name in in_value(answer) if ".history[].data." not in name}
    assert members - collected == set()
    assert {path.name for path in up.home.iterdir()} - {up.log.name} - set(files.collect_home()) == set()


def test_killed_service_stops_the_centre_and_is_reported(running: Up) -> None:
    """After SIGKILL of a service, its status and last lines are shown; the rest is stopped in order, status 1."""
    up = running
    if up.exit_code is not None or not up.output:
        up.start()
    before = up.processes()
    os.kill(up.pid_of("sla"), signal.SIGKILL)
    assert up.wait() == 1
    assert "sla was killed from outside (SIGKILL)" in up.output
    assert f"The end of {up.home / 'logs' / 'sla.log'}" in up.output
    assert gone(before)


def test_ctrl_c_during_the_start_leaves_no_process(up: Up) -> None:
    """A stop during the start ends between two steps, in order, with status 0."""
    up.launch()
    eventually_sync(lambda: "Starting Postgres" in up.output, within=60)
    before = up.processes()
    up.signal(signal.SIGINT)
    eventually_sync(lambda: "Stop requested" in up.output, within=30)
    assert up.wait() == 0, up.output
    assert gone(before)


def test_taken_port_is_reported_with_its_setting(up: Up) -> None:
    """Status 3; the port and its setting are named, without a traceback; nothing is started."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        up.environment["MOTCUA_SMS_PORT"] = str(taken)
        up.launch()
        assert up.wait() == 3
    assert f"Port {taken} for the SMS simulator" in up.output
    assert "MOTCUA_SMS_PORT" in up.output
    assert "Traceback" not in up.output
    assert not (up.home / "postgres").exists()
