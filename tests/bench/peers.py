"""The peers' own harness, where it lies beside the clone: run from its place, its results read, nothing of it kept."""

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
from tests.bench.bench import Bench, NoResultError
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
_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Contender:
    """One way of doing the job. `command` is the harness's, run in its folder; `slow` takes fewer events."""

    name: str
    command: Sequence[str]
    options: Sequence[str] = ()
    slow: bool = False


_FAUST = ("{bin}/faust", "-A", "route_faust", "--datadir", "{scratch}/faust", "worker", "-l", "warn", "--without-web")
_STREAMS = (
    "bash",
    "-c",
    "{java} -Xmx2g -cp '{classpath}' Route $BENCH_KAFKA in $BENCH_OUT $BENCH_GROUP exactly_once_v2:1 rocks $BENCH_N "
    "{scratch}/streams-$BENCH_GROUP",
)
CONTENDERS = (
    Contender("Kafka Streams, exactly once, RocksDB", _STREAMS),
    Contender("Faust, take(500) and one transaction a batch", _FAUST, ("KIND=take",)),
    Contender("Faust, table and send", _FAUST, ("KIND=table",), slow=True),
    Contender(
        "aiokafka and asyncpg, a transaction a partition, with its relay",
        ("{bin}/python", "route_aiokafka.py"),
        ("MODE=part", "PIPE=1", "BATCH=2000", "RELAY=task", "RELAY_HOW=batch", "RELAY_ROWS=2000"),
    ),
)


def run(bench: Bench) -> Part:
    """Each contender several times, on one broker and one database server that wait for the disk as ours do."""
    folder = bench.peers.resolve()
    if lacking := [name for name in _NEEDED if not (folder / name).is_file()]:
        return Part("peers", 0.0, skipped=f"the peers' harness was not found (no {lacking[0]} in the folder given)")
    home = bench.settings.home.resolve() / "bench-peers"
    try:
        _bring(bench, folder, home)
    except (OSError, subprocess.SubprocessError) as error:
        return Part("peers", 0.0, skipped=f"the peers could not be made ready: {_told(error)}")
    rows, others = [], []
    with bench.servers("peers") as (broker, postgres):
        assert broker.pid is not None, "it was started"
        assert postgres.pid is not None, "it was started"
        meter = Meter({"kafka": broker.pid, "postgres": postgres.pid})
        harness = _Harness(bench, folder, home, broker, postgres)
        harness.fill()
        for contender in CONTENDERS:
            runs = []
            for number in range(1, bench.sizes.runs + 1):
                meter.again()
                runs.append(harness.run(contender))
                others.append(meter.spent().others)
                bench.say(f"  {contender.name}, run {number}: {runs[-1]['evs']:,.0f} events/s")
            rows.append(_row(contender, runs))
    return Part(
        "peers", 0.0, (Table("peers", tuple(rows), (f"Events of the harness: {harness.size} bytes.",)),), tuple(others)
    )


def _bring(bench: Bench, folder: Path, home: Path) -> None:
    """What the peers are made of, once: a virtual environment of their own, the jars, the compiled class. Blocks."""
    if not (home / "ready").exists():
        bench.say("  bringing what the peers are made of (once)")
        _call(sys.executable, "-m", "venv", str(home / "venv"))
        _call(str(home / "venv/bin/python"), "-m", "pip", "install", "-q", "-r", str(folder / "requirements.txt"))
        maven = [bench.settings.maven, "-q", "-B", "-f", str(folder / "java/pom.xml"), "dependency:copy-dependencies"]
        _call(*maven, f"-DoutputDirectory={home / 'jars'}")
        _call("javac", "-d", str(home / "classes"), "-cp", f"{home / 'jars'}/*", str(folder / "java/Route.java"))
        (home / "ready").touch()


def _call(*command: str) -> None:
    subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)


def _told(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"{Path(error.cmd[0]).name} ended with status {error.returncode}: {(error.stderr or '').strip()[-300:]}"
    return str(error)


class _Harness:
    """The harness on these servers, as its README says."""

    def __init__(self, bench: Bench, folder: Path, home: Path, broker: Broker, postgres: Postgres) -> None:
        self._sizes = bench.sizes
        self._folder = folder
        self._scratch = broker.folder.parent
        self._python = str(home / "venv/bin/python")
        self._words = {
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
        self.size = 0
        (self._scratch / "kafka.pid").write_text(str(broker.pid))
        (self._scratch / "pg.pid").write_text(str(postgres.pid))

    def fill(self) -> None:
        """The topic that all of them read. Raises StartError."""
        done = self._run([self._python, "gen.py"], {"BENCH_N_IN": str(self._sizes.events)})
        if done.returncode:
            raise StartError(f"the peers' topic was not filled: {done.stderr.strip()[-300:]}")
        self.size = round(float(done.stdout.split("avg bytes ")[1].split()[0]))

    def run(self, contender: Contender) -> dict[str, float]:
        """One run. Raises NoResultError when it gave none, or when not every event came through."""
        events = self._sizes.slow_events if contender.slow else self._sizes.events
        command = [word.format(**self._words) for word in contender.command]
        name = f"bench-{CONTENDERS.index(contender)}"
        options = [*contender.options, f"LIMIT={_SECONDS}"]
        results = self._scratch / "results.jsonl"
        results.unlink(missing_ok=True)
        done = self._run([self._python, "bench.py", name, *options, "--", *command], {"BENCH_N": str(events)})
        if not results.exists():
            raise NoResultError(f"{contender.name} gave no result: {(done.stdout + done.stderr)[-500:]}")
        found: dict[str, float] = json.loads(results.read_text().splitlines()[0])
        came = max(found["out"], found["outbox"])  # Faust's take leaves its outputs in the outbox
        if min(found["n"], came) < events:
            raise NoResultError(f"{contender.name} took {found['n']} of {events} events, and {came} came out of it")
        return found

    def _run(self, command: Sequence[str], more: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        environment = self._environment | more
        return subprocess.run(
            command,
            cwd=self._folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=2 * _SECONDS,
            check=False,
        )


def _row(contender: Contender, runs: Sequence[dict[str, float]]) -> Row:
    figures = {
        "events": Figure(tuple(run["n"] for run in runs), ""),
        "events/s": Figure(tuple(run["evs"] for run in runs), "events/s"),
        "CPU an event": Figure(tuple(run["cpu_per_1k"] * 1e3 for run in runs), "µs"),
        "of Postgres": Figure(tuple(run.get("pg_cpu_1k", 0.0) * 1e3 for run in runs), "µs"),
        "of Kafka": Figure(tuple(run["broker_cpu_1k"] * 1e3 for run in runs), "µs"),
        "memory": Figure(tuple(run["rss_mb"] for run in runs), "MB"),
    }
    if all("evs_first50k" in run and run["n"] > 50_000 for run in runs):
        figures["events/s, first 50,000 left out"] = Figure(tuple(_warm(run) for run in runs), "events/s")
    return Row(contender.name, figures)


def _warm(run: dict[str, float]) -> float:
    """A virtual machine compiles as it goes: what it does once that is over."""
    return (run["n"] - 50_000) / (run["sec"] - 50_000 / run["evs_first50k"])
