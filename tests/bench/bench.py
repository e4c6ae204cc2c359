"""What every part of the benchmarks is given: sizes, folders, a way to say what it does, and real parts to measure."""

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
from tests.bench.workload import Load, whole_lives


class NoResultError(MotcuaError):
    """A run whose counts do not agree, or in which something was refused, is no result; the message says what."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done, and how often: one form for the published figures, one for trying."""

    runs: int
    chain_dossiers: int
    events: int
    recorded_dossiers: int
    http_seconds: int
    slow_events: int
    """For peers that take two thousand a second or fewer."""
    limit_seconds: float
    derivations: int


FULL = Sizes(
    runs=3,
    chain_dossiers=1500,
    events=100_000,
    recorded_dossiers=300,
    http_seconds=60,
    slow_events=20_000,
    limit_seconds=3.0,
    derivations=1_000_000,
)
QUICK = Sizes(
    runs=1,
    chain_dossiers=150,
    events=20_000,
    recorded_dossiers=60,
    http_seconds=15,
    slow_events=5_000,
    limit_seconds=1.0,
    derivations=100_000,
)


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmarks. Below `scratch` everything is written; it is gone afterwards."""

    sizes: Sizes
    settings: MotcuaSettings
    scratch: Path
    say: Callable[[str], None]
    peers: Path = Path("../shared/bench")
    """The folder of the peers' own harness."""

    @property
    def tools(self) -> kafka.Toolchain:
        """What runs the broker."""
        return self.settings.toolchain(self.say)

    @property
    def centre(self) -> Centre:
        """The centre's data."""
        return load_centre(self.settings.centre)

    def load(self, dossiers: int) -> Load:
        """Whole lives of as many dossiers."""
        return _load(self.settings.centre, dossiers)

    @contextmanager
    def local_centre(
        self, name: str, *, durable: bool = True, starts_at: datetime | None = None
    ) -> Iterator[LocalCentre]:
        """A fresh centre with every service; its time is set where it `starts_at` an instant. Its data are removed."""
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
        """A fresh broker and a fresh durable database server, and nothing else. Their data are removed."""
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
def _load(folder: Path, dossiers: int) -> Load:
    return whole_lives(load_centre(folder), dossiers)
