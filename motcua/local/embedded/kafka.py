"""Embedded Apache Kafka: real brokers as processes on this machine, in KRaft mode, on loopback only.

All functions block; from async code call them in a thread.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from motcua.local.embedded.jar_list import read_list
from motcua.local.embedded.jars import Progress, Store
from motcua.local.embedded.java import Java, find_java
from motcua.local.embedded.process import Child, failure, require_free_port
from shared.kernel.errors import StartError

KAFKA_VERSION = "4.3.1"
_CLUSTER_ID = "bW90Y3VhLWVtYmVkZGVkMQ"
_READY = "Kafka Server started"
_AOT_SINCE = 25


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What is needed to run a broker: Java, the folder with the jars, and further options for the Java command."""

    java: Java
    jars: Path
    options: tuple[str, ...] = ()

    @property
    def classes(self) -> Path:
        """The path of the class archive of these jars and this Java version; the file may not exist.

        With it a start takes a third less time (class data sharing, JEP 350), from Java 25 on two thirds (JEP 514).
        """
        return self.jars.with_name(f"{self.jars.name}-java-{self.java.version}.classes")

    def reading_classes(self) -> "Toolchain":
        """Return a copy whose brokers load the class archive; return this object unchanged if the file is missing."""
        option = "AOTCache" if self.java.major >= _AOT_SINCE else "SharedArchiveFile"
        return replace(self, options=(f"-XX:{option}={self.classes}",)) if self.classes.exists() else self

    def writing_classes(self, file: Path) -> "Toolchain":
        """Return a copy whose broker writes a class archive to `file` when the broker process ends."""
        option = "AOTCacheOutput" if self.java.major >= _AOT_SINCE else "ArchiveClassesAtExit"
        return replace(self, options=(f"-XX:{option}={file}",))


def prepare(
    cache: Path,
    *,
    java: str | None = None,
    maven: str = "mvn",
    mirror: str | None = None,
    progress: Progress = lambda _: None,
) -> Toolchain:
    """Find Java, and fetch Kafka's jars into `cache` if they are missing there. Starts nothing.

    `java` and `maven` are commands; `mirror` is the URL of a Maven repository. Raises StartError with the remedies.
    """
    runtime = find_java(java)
    store = Store(cache.resolve(), KAFKA_VERSION, read_list(), maven=maven, mirror=mirror, progress=progress)
    return Toolchain(runtime, store.provide()).reading_classes()


@dataclass(slots=True)
class Broker:
    """One node of a cluster, which is broker and controller in one process; it does not run before `launch`.

    `voters` maps the node id of every controller in the cluster to its port. `node` is the id of this node.
    """

    toolchain: Toolchain
    folder: Path
    port: int
    voters: dict[int, int]
    node: int = 1
    heap_mb: int = 512
    port_setting: str = "MOTCUA_KAFKA_PORT"
    child: Child | None = field(default=None, init=False)

    @property
    def bootstrap(self) -> str:
        """The bootstrap server, host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id; None if the broker is not running."""
        return self.child.pid if self.running and self.child else None

    @property
    def running(self) -> bool:
        """Whether the process is alive. It may not serve clients yet."""
        return self.child is not None and self.child.exit_code is None

    def launch(self) -> None:
        """Start the process on the existing data in `folder`, or format an empty folder; do not wait until it is ready.

        Does nothing if the process runs. Raises StartError if a port is taken or the folder cannot be formatted.
        """
        if self.running:
            return
        require_free_port(self.port, purpose="Kafka", setting=self.port_setting)
        require_free_port(self.voters[self.node], purpose="Kafka's controller", setting=self.port_setting)
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "server.properties"
        properties.write_text(self._properties())
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(properties)
        self.child = Child(
            f"kafka-{self.node}",
            [
                self.toolchain.java.command,
                f"-Xms{min(self.heap_mb, 128)}m",
                f"-Xmx{self.heap_mb}m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",  # on one machine the second compiler costs more than its code saves
                "-XX:+ExitOnOutOfMemoryError",
                *self.toolchain.options,
                "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
                "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
                "-cp",
                f"{self.toolchain.jars}/*",
                "kafka.Kafka",
                str(properties),
            ],
            log=self.folder / "kafka.log",
        )

    def wait_ready(self, *, timeout_seconds: float = 60.0) -> None:
        """Block until the launched broker serves clients.

        If its process ends, or is not ready in time and is therefore killed, raises StartError with the end of the log.
        """
        assert self.child is not None, "launch() comes first"
        deadline = time.monotonic() + timeout_seconds
        while _READY not in self.child.output():
            if self.child.exit_code is not None or time.monotonic() > deadline:
                ended = self.child.exit_code
                self.kill()
                what = f"is not ready after {timeout_seconds:.0f} s" if ended is None else f"ended with status {ended}"
                raise StartError(f"Kafka {what}. The end of {self.child.log}:\n{self.child.last_lines()}")
            time.sleep(0.1)

    def start(self) -> None:
        """Launch the broker and wait until it serves clients. Raises StartError."""
        self.launch()
        self.wait_ready()

    def stop(self) -> None:
        """Shut the broker down in order (SIGTERM) and wait; kill it after 30 seconds."""
        if self.child is not None:
            self.child.stop(timeout_seconds=30)

    def kill(self) -> None:
        """Kill the broker (SIGKILL), as in a crash, and wait until its process has ended."""
        if self.child is not None:
            self.child.kill()

    def _format(self, properties: Path) -> None:
        command = [self.toolchain.java.command, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command += [*self.toolchain.options, "-cp", f"{self.toolchain.jars}/*"]
        command += ["kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(properties)]
        try:
            subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise StartError(f"Kafka's data folder {self.folder} could not be formatted ({failure(error)}).") from error

    def _properties(self) -> str:
        copies = min(3, len(self.voters))
        enough = max(1, copies - 1)
        controllers = ",".join(f"{node}@127.0.0.1:{port}" for node, port in self.voters.items())
        lines = {
            "process.roles": "broker,controller",
            "node.id": self.node,
            "controller.quorum.voters": controllers,
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.voters[self.node]}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": (self.folder / "data").resolve(),
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": 0,
            # a killed broker can rejoin only when its old session has expired: by default after nine seconds
            "broker.session.timeout.ms": 4000,
            "broker.heartbeat.interval.ms": 500,
            # consumers may request session timeouts below the default minimum of six seconds
            "group.min.session.timeout.ms": 1000,
            # so that tests notice within seconds if a topic is configured to delete records
            "log.initial.task.delay.ms": 1000,
            "log.retention.check.interval.ms": 1000,
            "offsets.topic.num.partitions": 8,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.num.partitions": 4,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": enough,
            "share.coordinator.state.topic.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": enough,
            # the default of 128 MB is too large for a small heap
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        }
        return "".join(f"{key}={value}\n" for key, value in lines.items())


@dataclass(slots=True)
class Cluster:
    """Several brokers on one machine, each of them a voting controller: three brokers tolerate the loss of one."""

    brokers: Sequence[Broker]

    @property
    def bootstrap(self) -> str:
        """The bootstrap servers: all brokers, so that a client finds the cluster while one of them is down."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    def start(self) -> None:
        """Start all brokers at the same time and wait until each serves clients. Raises StartError."""
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            broker.wait_ready()

    def stop(self) -> None:
        """Stop every broker in order except the last, which is killed.

        Once the others have stopped there is no majority of controllers, and the last broker could not stop in order.
        """
        for broker in self.brokers[:-1]:
            broker.stop()
        for broker in self.brokers[-1:]:
            broker.kill()


def single(toolchain: Toolchain, folder: Path, *, port: int, controller_port: int | None = None) -> Broker:
    """Return a broker that is a whole cluster by itself, not started. Its controller port is `port` + 1 by default."""
    return Broker(toolchain, folder, port, {1: controller_port or port + 1})


def cluster(toolchain: Toolchain, folder: Path, *, ports: Sequence[int], controller_ports: Sequence[int]) -> Cluster:
    """Return a cluster of one broker per element of `ports`, not started. Each has its own folder below `folder`."""
    voters = dict(enumerate(controller_ports, start=1))
    return Cluster(
        [
            Broker(toolchain, folder / f"node-{node}", port, voters, node=node, heap_mb=384)
            for node, port in enumerate(ports, start=1)
        ]
    )


@contextmanager
def running(kafka: Broker | Cluster) -> Iterator[Broker | Cluster]:
    """Context manager: start Kafka on entry, stop it on exit, also after an error."""
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.stop()
