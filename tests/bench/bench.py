"""The environment of one benchmark run: sizes, folders, progress output, and real servers to measure."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from motcua.local.centre import LocalCentre, isolated_settings
from motcua.local.embedded import kafka
from motcua.local.embedded.ports import free_port
from motcua.local.embedded.postgres import Postgres
from motcua.local.settings import MotcuaSettings
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from shared.kernel.errors import MotcuaError
from tests.bench.workload import Workload, half_year_workload


class InvalidRunError(MotcuaError):
    """The run is not valid: counts disagree, or a request was rejected. The message names the differences."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the workloads and number of runs: FULL for the published figures, QUICK for a trial."""

    runs: int
    chain_dossiers: int
    events: int
    recorded_dossiers: int
    latency_seconds: int
    slow_events: int
    """Number of events for peers that process 2,000 events per second or fewer."""
    limit_seconds: float
    derivations: int


FULL = Sizes(
    runs=3,
    chain_dossiers=1500,
    events=100_000,
    recorded_dossiers=300,
    latency_seconds=60,
    slow_events=20_000,
    limit_seconds=3.0,
    derivations=1_000_000,
)
QUICK = Sizes(
    runs=1,
    chain_dossiers=150,
    events=20_000,
    recorded_dossiers=60,
    latency_seconds=15,
    slow_events=5_000,
    limit_seconds=1.0,
    derivations=100_000,
)


@dataclass(frozen=True, slots=True)
class Bench:
    """One benchmark run. Everything that a part writes is below `scratch` and is removed afterwards."""

    sizes: Sizes
    settings: MotcuaSettings
    scratch: Path
    report: Callable[[str], None]
    """Print one line of progress."""
    peers: Path = Path("../shared/bench")
    """The folder of the harness that runs the peers."""

    @property
    def tools(self) -> kafka.Toolchain:
        """Java and the jars that run the broker."""
        return self.settings.toolchain(self.report)

    @property
    def centre(self) -> Centre:
        """The data of the centre's folder."""
        return load_centre(self.settings.centre)

    def workload(self, dossiers: int) -> Workload:
        """Return all acts of that many dossiers, from submission to result. The result is cached."""
        return _workload(self.settings.centre, dossiers)

    @contextmanager
    def local_centre(
        self, name: str, *, durable: bool = True, starts_at: datetime | None = None
    ) -> Iterator[LocalCentre]:
        """Run a fresh centre with every service, with a simulated clock if `starts_at` is given. Removes its data."""
        settings = isolated_settings(self.settings, home=self._folder(name))
        if starts_at is not None:
            settings = settings.model_copy(update={"clock": "simulated", "clock_starts_at": starts_at})
        local = LocalCentre(settings, durable=durable)
        try:
            local.start()
            yield local
            local.require_running()
        finally:
            local.stop()
        shutil.rmtree(local.home)

    @contextmanager
    def servers(self, name: str) -> Iterator[tuple[kafka.Broker, Postgres]]:
        """Run a fresh broker and a fresh, durable database server. Removes their data."""
        folder = self._folder(name)
        broker = kafka.single(self.tools, folder / "kafka", port=free_port(), controller_port=free_port())
        postgres = Postgres(folder / "postgres", free_port())
        try:
            broker.start()
            postgres.start()
            yield broker, postgres
        finally:
            broker.stop()
            postgres.stop()
        shutil.rmtree(folder)

    def _folder(self, name: str) -> Path:
        self.scratch.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.scratch.resolve()))


@cache
def _workload(folder: Path, dossiers: int) -> Workload:
    return half_year_workload(load_centre(folder), dossiers)
