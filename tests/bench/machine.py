"""CPU and memory by process, what others took of the machine meanwhile, and what the machine is."""

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
"""The process that measures, under this name, with those of its children that have ended."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Between two readings: seconds, CPU seconds by process, and the share of the machine's CPU that others took."""

    seconds: float
    cpu: dict[str, float]
    others: float


class Meter:
    """Reads the CPU of processes, given as name → process id, and of this one. A server's children count with it."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._mine = psutil.Process()
        self.again()

    def again(self) -> None:
        """Begin to count here."""
        self._before = self._read()

    def spent(self) -> Spent:
        """Since the beginning. Raises psutil.NoSuchProcess when one of the processes has ended."""
        began, busy, cpu = self._before
        ended, busy_now, cpu_now = self._read()
        seconds = ended - began
        own = {name: cpu_now[name] - cpu[name] for name in cpu_now}
        others = max(0.0, busy_now - busy - sum(own.values()))
        return Spent(seconds, own, others / (seconds * (psutil.cpu_count() or 1)))

    def memory(self) -> dict[str, float]:
        """MB by process; of a server with children, which share memory, each page is counted once."""
        found = {}
        for name, process in self._processes.items():
            family = [process, *process.children(recursive=True)]
            if len(family) == 1:
                found[name] = process.memory_info().rss / 1e6
            else:
                found[name] = sum(_share(one) for one in family) / 1e6
        return found

    def _read(self) -> tuple[float, float, dict[str, float]]:
        cpu = {name: _seconds(process) for name, process in self._processes.items()}
        own = self._mine.cpu_times()
        cpu[CLIENT] = own.user + own.system + own.children_user + own.children_system  # a peer's run is one of these
        all_times = psutil.cpu_times()
        idle = all_times.idle + getattr(all_times, "iowait", 0.0)
        return time.monotonic(), sum(all_times) - idle, cpu


def _seconds(process: psutil.Process) -> float:
    """CPU of a process, of its children that ended, and of those that live."""
    times = process.cpu_times()
    found = float(times.user + times.system + times.children_user + times.children_system)
    for child in process.children(recursive=True):
        try:
            spent = child.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it ended just now, and counts with its parent at the next reading
        found += spent.user + spent.system
    return found


def _share(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0.0


def about(java_version: str, postgres_version: str) -> dict[str, str]:
    """The machine and the versions, in words; the load is that of the last minute and the last five. Blocks."""
    one, five, _ = os.getloadavg()
    return {
        "Cores": str(psutil.cpu_count()),
        "Memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "Load before": f"{one:.1f} in the last minute, {five:.1f} in the last five",
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "Java": java_version,
        "Kafka": KAFKA_VERSION,
        "Postgres": postgres_version,
        "aiokafka, asyncpg, pydantic": ", ".join(version(name) for name in ("aiokafka", "asyncpg", "pydantic")),
    }


def pids_of(parts: Mapping[str, Any]) -> dict[str, int]:
    """The process ids of a local centre's parts, or of anything else that has a `pid`."""
    return {name: part.pid for name, part in parts.items()}
