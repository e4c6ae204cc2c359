"""Meter of CPU time and memory: each process counts with its children, including those that have ended."""

import os
import subprocess
import sys

from tests.bench.machine import CLIENT, Meter
from tests.support.waiting import eventually_sync

BURN_SECONDS = 0.2
BURN = f"import time\nwhile time.process_time() < {BURN_SECONDS}: pass"
"""A program that uses this much CPU time, however long that takes on a busy machine."""


def test_cpu_of_ended_children_counts_for_the_server() -> None:
    """CPU time of a child that started and ended between two readings, like a Postgres backend, is not lost."""
    command = ["sh", "-c", 'read _; "$1" -c "$2"; echo done; read _', "sh", sys.executable, BURN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        meter = Meter({"server": server.pid})
        server.stdin.write("burn\n")
        server.stdin.flush()
        assert server.stdout.readline() == "done\n"
        usage = meter.usage()
        server.stdin.close()
    assert usage.cpu["server"] >= BURN_SECONDS * 0.9
    assert usage.cpu[CLIENT] < BURN_SECONDS


def test_memory_is_measured_in_megabytes() -> None:
    """The memory of this interpreter is between 5 MB and 5 GB."""
    assert 5 < Meter({"self": os.getpid()}).memory()["self"] < 5_000


def test_restart_sets_the_start_of_the_measurement() -> None:
    """CPU time before the restart does not count."""
    meter = Meter({})
    eventually_sync(lambda: meter.usage().cpu[CLIENT] >= 0.05, within=60, every=0.0)
    before = meter.usage().cpu[CLIENT]
    meter.restart()
    assert meter.usage().cpu[CLIENT] < before
