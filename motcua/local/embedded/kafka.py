"""A real Apache Kafka on this machine: KRaft mode, loopback only.

Everything here blocks; from async code call it in a thread.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from motcua.local.embedded.jar_list import listed
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
    """What runs the broker: Java, the folder with the jars, further options of the virtual machine."""

    java: Java
    jars: Path
    options: tuple[str, ...] = ()

    @property
    def classes(self) -> Path:
        """The archive of the jars' classes as this Java has loaded them, next to the jars; it may be missing.

        With it a start costs a third less (class data sharing, JEP 350), or two thirds from Java 25 on (JEP 514).
        """
        return self.jars.with_name(f"{self.jars.name}-java-{self.java.version}.classes")

    def reading_classes(self) -> "Toolchain":
        """With the archive, if it is there."""
        option = "AOTCache" if self.java.major >= _AOT_SINCE else "SharedArchiveFile"
        return replace(self, options=(f"-XX:{option}={self.classes}",)) if self.classes.exists() else self

    def writing_classes(self, file: Path) -> "Toolchain":
        """A broker that writes such an archive when it ends."""
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
    """Find Java, and the jars below `cache`; download them if they are missing.

    Raises StartError with the way out.
    """
    runtime = find_java(java)
    store = Store(cache.resolve(), KAFKA_VERSION, listed(), maven=maven, mirror=mirror, progress=progress)
    return Toolchain(runtime, store.provide()).reading_classes()


@dataclass(slots=True)
class Broker:
    """One node, broker and controller at once. `voters` are the controllers of the whole cluster: id → port."""

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
        """What a client connects to."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """None when it is not running."""
        return self.child.pid if self.running and self.child else None

    @property
    def running(self) -> bool:
        """Whether the process lives; not whether it answers."""
        return self.child is not None and self.child.exit_code is None

    def launch(self) -> None:
        """Start the process on the data it left, or on an empty folder; does not wait until it is ready."""
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
        """Block until it serves clients. Raises StartError with the end of its log if it ends or takes longer."""
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
        """Launch and wait until it serves clients."""
        self.launch()
        self.wait_ready()

    def stop(self) -> None:
        """An orderly end; killed if it takes longer than half a minute."""
        if self.child is not None:
            self.child.stop(timeout_seconds=30)

    def kill(self) -> None:
        """SIGKILL: as if the machine had lost it."""
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
            # a killed broker comes back only when its old session has ended: by default after nine seconds
            "broker.session.timeout.ms": 4000,
            "broker.heartbeat.interval.ms": 500,
            # consumers may ask for shorter sessions than the default least of six seconds
            "group.min.session.timeout.ms": 1000,
            # a topic that deletes its records shows within seconds, not after a week in production
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
            # the default of 128 MB does not go with a small heap
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        }
        return "".join(f"{key}={value}\n" for key, value in lines.items())


@dataclass(slots=True)
class Cluster:
    """Several brokers on one machine, each voting: the loss of one of three is survived."""

    brokers: Sequence[Broker]

    @property
    def bootstrap(self) -> str:
        """All brokers, so that a client finds the cluster whichever is down."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    def start(self) -> None:
        """Start them side by side and wait for all."""
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            broker.wait_ready()

    def stop(self) -> None:
        """Stop all of them. Without a majority of controllers the last ones cannot end in order and are killed."""
        for broker in self.brokers[:-1]:
            broker.stop()
        for broker in self.brokers[-1:]:
            broker.kill()


def single(toolchain: Toolchain, folder: Path, *, port: int, controller_port: int | None = None) -> Broker:
    """A cluster of one; its controller uses the next port by default."""
    return Broker(toolchain, folder, port, {1: controller_port or port + 1})


def cluster(toolchain: Toolchain, folder: Path, *, ports: Sequence[int], controller_ports: Sequence[int]) -> Cluster:
    """As many brokers as ports."""
    voters = dict(enumerate(controller_ports, start=1))
    return Cluster(
        [
            Broker(toolchain, folder / f"node-{node}", port, voters, node=node, heap_mb=384)
            for node, port in enumerate(ports, start=1)
        ]
    )


@contextmanager
def running(kafka: Broker | Cluster) -> Iterator[Broker | Cluster]:
    """Started on entry, stopped for certain on exit."""
    try:
        kafka.start()
        yield kafka
    finally:
        kafka.stop()
