"""CPU time and memory by process, the load of unrelated processes, and a description of the machine."""

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import psutil

from motcua.local.embedded.kafka import KAFKA_VERSION

CLIENT = "client"
"""Name of the measuring process. Its CPU time includes that of its children that have ended."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Resources used between two readings of a meter.

    `seconds` is the elapsed time, `cpu` has CPU seconds by process, and `other_load` is the share of the machine's CPU
    that unrelated processes used.
    """

    seconds: float
    cpu: dict[str, float]
    other_load: float


class Meter:
    """Meter for the CPU time of this process and of others, given as name → process id, each with its children."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._own_process = psutil.Process()
        self.restart()

    def restart(self) -> None:
        """Set the start of the measurement to now."""
        self._start = self._read()

    def usage(self) -> Usage:
        """Return the usage since the start. Raises psutil.NoSuchProcess if a process has ended."""
        started, busy_before, cpu_before = self._start
        ended, busy_now, cpu_now = self._read()
        seconds = ended - started
        cpu = {name: cpu_now[name] - cpu_before[name] for name in cpu_now}
        others = max(0.0, busy_now - busy_before - sum(cpu.values()))
        return Usage(seconds, cpu, others / (seconds * (psutil.cpu_count() or 1)))

    def memory(self) -> dict[str, float]:
        """Return MB by process. Pages that a server shares with its children are counted once."""
        megabytes = {}
        for name, process in self._processes.items():
            family = [process, *process.children(recursive=True)]
            if len(family) == 1:
                megabytes[name] = process.memory_info().rss / 1e6
            else:
                megabytes[name] = sum(_proportional_set_size(member) for member in family) / 1e6
        return megabytes

    def _read(self) -> tuple[float, float, dict[str, float]]:
        cpu = {name: _cpu_seconds(process) for name, process in self._processes.items()}
        own = self._own_process.cpu_times()
        # a peer runs as a child of this process, so its CPU time must count here
        cpu[CLIENT] = own.user + own.system + own.children_user + own.children_system
        all_times = psutil.cpu_times()
        idle = all_times.idle + getattr(all_times, "iowait", 0.0)
        return time.monotonic(), sum(all_times) - idle, cpu


def _cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time of a process and of all its children, running or ended."""
    times = process.cpu_times()
    seconds = float(times.user + times.system + times.children_user + times.children_system)
    for child in process.children(recursive=True):
        try:
            child_times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it has just ended; the next reading of the parent includes it
        seconds += child_times.user + child_times.system
    return seconds


def _proportional_set_size(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0.0


def describe(java_version: str, postgres_version: str) -> dict[str, str]:
    """Return the properties of the machine and the versions of the software, as text by name. Blocks."""
    one_minute, five_minutes, _ = os.getloadavg()
    return {
        "Cores": str(psutil.cpu_count()),
        "Memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "Load before the run": f"{one_minute:.1f} in the last minute, {five_minutes:.1f} in the last five minutes",
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "Java": java_version,
        "Kafka": KAFKA_VERSION,
        "Postgres": postgres_version,
        "aiokafka, asyncpg, pydantic": ", ".join(version(name) for name in ("aiokafka", "asyncpg", "pydantic")),
    }


def pids_of(parts: Mapping[str, Any]) -> dict[str, int]:
    """Return the process ids of the parts of a local centre, or of any other objects with a `pid`."""
    return {name: part.pid for name, part in parts.items()}
