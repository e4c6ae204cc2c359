"""CPU is counted where it was spent, also by children that have ended since."""

import os
import subprocess
import sys

from tests.bench.machine import CLIENT, Meter
from tests.support.waiting import eventually_sync

BURN_SECONDS = 0.2
BURN = f"import time\nwhile time.process_time() < {BURN_SECONDS}: pass"
"""Of a process's own CPU, so it takes as long as it must on a machine that has others to serve."""


def test_a_server_answers_for_children_that_ended() -> None:
    """Postgres works in backends that come and go: what they spent between two readings must not be lost."""
    command = ["sh", "-c", 'read _; "$1" -c "$2"; echo done; read _', "sh", sys.executable, BURN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        meter = Meter({"server": server.pid})
        server.stdin.write("burn\n")
        server.stdin.flush()
        assert server.stdout.readline() == "done\n"
        spent = meter.spent()
        server.stdin.close()
    assert spent.cpu["server"] >= BURN_SECONDS * 0.9
    assert spent.cpu[CLIENT] < BURN_SECONDS


def test_memory_is_told_of_each_process() -> None:
    """In MB; this interpreter has some."""
    assert 5 < Meter({"myself": os.getpid()}).memory()["myself"] < 5_000


def test_counting_begins_where_it_is_told_to() -> None:
    """A measurement answers for itself alone."""
    meter = Meter({})
    eventually_sync(lambda: meter.spent().cpu[CLIENT] >= 0.05, within=60, every=0.0)
    before = meter.spent().cpu[CLIENT]
    meter.again()
    assert meter.spent().cpu[CLIENT] < before
