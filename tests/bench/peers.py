"""Run the peers with their own harness, in a folder next to the clone, and read its results."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from motcua.local.embedded.kafka import Broker
from motcua.local.embedded.postgres import Postgres
from shared.kernel.errors import StartError
from shared.runtime.settings import inherited_environment
from tests.bench.bench import Bench, InvalidRunError
from tests.bench.figures import Figure, Part, Row, Table
from tests.bench.machine import Meter

_NEEDED = (
    "bench.py",
    "gen.py",
    "common.py",
    "requirements.txt",
    "route_faust.py",
    "route_aiokafka.py",
    "java/Route.java",
)
_TIMEOUT_SECONDS = 600
STREAMS = "Kafka Streams, exactly once, RocksDB"
FAUST_TAKE = "Faust, take(500), one transaction per batch"
FAUST_TABLE = "Faust, table and send"
AIOKAFKA = "aiokafka and asyncpg, one transaction per partition, with relay"
WARM = "events/s without the first 50,000"


@dataclass(frozen=True, slots=True)
class Peer:
    """One implementation of the job.

    `command` is run in the harness's folder, with `options` for the harness. A `slow` peer gets fewer events.
    """

    name: str
    command: Sequence[str]
    options: Sequence[str] = ()
    slow: bool = False


_FAUST_COMMAND = (
    "{bin}/faust",
    "-A",
    "route_faust",
    "--datadir",
    "{scratch}/faust",
    "worker",
    "-l",
    "warn",
    "--without-web",
)
_STREAMS_COMMAND = (
    "bash",
    "-c",
    "{java} -Xmx2g -cp '{classpath}' Route $BENCH_KAFKA in $BENCH_OUT $BENCH_GROUP exactly_once_v2:1 rocks $BENCH_N "
    "{scratch}/streams-$BENCH_GROUP",
)
PEERS = (
    Peer(STREAMS, _STREAMS_COMMAND),
    Peer(FAUST_TAKE, _FAUST_COMMAND, ("KIND=take",)),
    Peer(FAUST_TABLE, _FAUST_COMMAND, ("KIND=table",), slow=True),
    Peer(
        AIOKAFKA,
        ("{bin}/python", "route_aiokafka.py"),
        ("MODE=part", "PIPE=1", "BATCH=2000", "RELAY=task", "RELAY_HOW=batch", "RELAY_ROWS=2000"),
    ),
)


def run(bench: Bench) -> Part:
    """Measure each peer several times, on one broker and one durable database server."""
    folder = bench.peers.resolve()
    if missing := [name for name in _NEEDED if not (folder / name).is_file()]:
        return Part("peers", 0.0, skipped=f"the peers' harness was not found (no {missing[0]} in the folder given)")
    home = bench.settings.home.resolve() / "bench-peers"
    try:
        _install(bench, folder, home)
    except (OSError, subprocess.SubprocessError) as error:
        return Part("peers", 0.0, skipped=f"the peers could not be installed: {_reason(error)}")
    rows, other_load = [], []
    with bench.servers("peers") as (broker, postgres):
        assert broker.pid is not None, "it was started"
        assert postgres.pid is not None, "it was started"
        meter = Meter({"kafka": broker.pid, "postgres": postgres.pid})
        harness = _Harness(bench, folder, home, broker, postgres)
        harness.fill()
        for peer in PEERS:
            runs = []
            for number in range(1, bench.sizes.runs + 1):
                meter.restart()
                runs.append(harness.run(peer))
                other_load.append(meter.usage().other_load)
                bench.report(f"  {peer.name}, run {number}: {runs[-1]['evs']:,.0f} events/s")
            rows.append(_row(peer, runs))
    notes = (f"Events of the harness have {harness.event_bytes} bytes.",)
    return Part("peers", 0.0, (Table("peers", tuple(rows), notes),), tuple(other_load))


def _install(bench: Bench, folder: Path, home: Path) -> None:
    """Install the peers on the first call: their own virtual environment, the jars, the compiled class. Blocks."""
    if not (home / "ready").exists():
        bench.report("  installing the peers (first run only)")
        _call(sys.executable, "-m", "venv", str(home / "venv"))
        _call(str(home / "venv/bin/python"), "-m", "pip", "install", "-q", "-r", str(folder / "requirements.txt"))
        maven = [bench.settings.maven, "-q", "-B", "-f", str(folder / "java/pom.xml"), "dependency:copy-dependencies"]
        _call(*maven, f"-DoutputDirectory={home / 'jars'}")
        _call("javac", "-d", str(home / "classes"), "-cp", f"{home / 'jars'}/*", str(folder / "java/Route.java"))
        (home / "ready").touch()


def _call(*command: str) -> None:
    subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=True)


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"{Path(error.cmd[0]).name} ended with status {error.returncode}: {(error.stderr or '').strip()[-300:]}"
    return str(error)


class _Harness:
    """The peers' harness, run on these servers as its README describes."""

    def __init__(self, bench: Bench, folder: Path, home: Path, broker: Broker, postgres: Postgres) -> None:
        self._sizes = bench.sizes
        self._folder = folder
        self._scratch = broker.folder.parent
        self._python = str(home / "venv/bin/python")
        self._placeholders = {
            "bin": str(home / "venv/bin"),
            "scratch": str(self._scratch),
            "java": bench.tools.java.command,
            "classpath": f"{home / 'classes'}:{home / 'jars'}/*",
        }
        self._environment = inherited_environment() | {
            "BENCH_DIR": str(self._scratch),
            "BENCH_KAFKA": broker.bootstrap,
            "BENCH_PG": postgres.url,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.event_bytes = 0
        (self._scratch / "kafka.pid").write_text(str(broker.pid))
        (self._scratch / "pg.pid").write_text(str(postgres.pid))

    def fill(self) -> None:
        """Fill the topic that all peers read. Raises StartError."""
        done = self._run([self._python, "gen.py"], {"BENCH_N_IN": str(self._sizes.events)})
        if done.returncode:
            raise StartError(f"The topic of the peers was not filled: {done.stderr.strip()[-300:]}")
        self.event_bytes = round(float(done.stdout.split("avg bytes ")[1].split()[0]))

    def run(self, peer: Peer) -> dict[str, float]:
        """Run one peer. Raises InvalidRunError without a result, or if the peer did not process every event."""
        events = self._sizes.slow_events if peer.slow else self._sizes.events
        command = [word.format(**self._placeholders) for word in peer.command]
        name = f"bench-{PEERS.index(peer)}"
        options = [*peer.options, f"LIMIT={_TIMEOUT_SECONDS}"]
        results = self._scratch / "results.jsonl"
        results.unlink(missing_ok=True)
        done = self._run([self._python, "bench.py", name, *options, "--", *command], {"BENCH_N": str(events)})
        if not results.exists():
            raise InvalidRunError(f"{peer.name} returned no result: {(done.stdout + done.stderr)[-500:]}")
        result: dict[str, float] = json.loads(results.read_text().splitlines()[0])
        published = max(result["out"], result["outbox"])  # Faust's take leaves its outputs in the outbox
        if min(result["n"], published) < events:
            raise InvalidRunError(f"{peer.name} consumed {result['n']} of {events} events and published {published}")
        return result

    def _run(self, command: Sequence[str], more: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        environment = self._environment | more
        return subprocess.run(
            command,
            cwd=self._folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=2 * _TIMEOUT_SECONDS,
            check=False,
        )


def _row(peer: Peer, runs: Sequence[dict[str, float]]) -> Row:
    figures = {
        "events": Figure(tuple(run["n"] for run in runs), ""),
        "events/s": Figure(tuple(run["evs"] for run in runs), "events/s"),
        "CPU per event": Figure(tuple(run["cpu_per_1k"] * 1e3 for run in runs), "µs"),
        "Postgres CPU per event": Figure(tuple(run.get("pg_cpu_1k", 0.0) * 1e3 for run in runs), "µs"),
        "Kafka CPU per event": Figure(tuple(run["broker_cpu_1k"] * 1e3 for run in runs), "µs"),
        "memory": Figure(tuple(run["rss_mb"] for run in runs), "MB"),
    }
    if all("evs_first50k" in run and run["n"] > 50_000 for run in runs):
        figures[WARM] = Figure(tuple(_warm(run) for run in runs), "events/s")
    return Row(peer.name, figures)


def _warm(run: dict[str, float]) -> float:
    """Events per second after the first 50,000, when the Java virtual machine has compiled the hot code."""
    return (run["n"] - 50_000) / (run["sec"] - 50_000 / run["evs_first50k"])
