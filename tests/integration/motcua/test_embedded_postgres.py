"""The embedded Postgres: data survive a stop and a crash, and no process is left."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from motcua.local.embedded.postgres import Postgres
from shared.kernel.errors import StartError
from tests.support import eventually_sync, free_port


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_committed_rows_survive_restart_and_immediate_stop(home: Path) -> None:
    """Committed rows are there on the same port after an orderly and after an immediate stop."""
    server = Postgres(home, free_port(), durable=False)
    try:
        server.start()
        with psycopg.connect(server.url) as connection:
            connection.execute("create table kept (n int)")
            connection.execute("insert into kept values (1)")
        server.restart()
        with psycopg.connect(server.url) as connection:
            connection.execute("insert into kept values (2)")
        server.stop_immediately()
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("select array_agg(n order by n) from kept").fetchone() == ([1, 2],)
    finally:
        server.stop()


def test_stop_leaves_no_process(home: Path) -> None:
    """After `stop` the server process has ended and its port is free."""
    server = Postgres(home, free_port(), durable=False)
    server.start()
    pid = server.pid
    assert pid is not None
    assert alive(pid)
    server.stop()
    assert not alive(pid)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url)


def test_server_ends_when_its_parent_is_killed(home: Path) -> None:
    """SIGKILL of the parent process ends the server."""
    port = free_port()
    script = (
        "import sys, time; from pathlib import Path; from motcua.local.embedded.postgres import Postgres; "
        f"s = Postgres(Path({str(home)!r}), {port}, durable=False); s.start(); print(s.pid, flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert alive(pid)
        starter.send_signal(signal.SIGKILL)
    eventually_sync(lambda: not alive(pid), within=10)


def test_taken_port_is_reported_with_its_setting(home: Path) -> None:
    """The start fails before any file is written."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(StartError, match=rf"Port {port} for Postgres.*MOTCUA_DATABASE_PORT"):
            Postgres(home / "none", port).start()
    assert not (home / "none").exists()
