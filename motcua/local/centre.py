"""A centre on this machine: Postgres, Kafka, sinks and services as separate processes, started and stopped in order.

All functions block. A process that ends is not restarted: the caller checks `ended()` and decides.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from motcua.local.database import READERS, SERVICES
from motcua.local.embedded import kafka
from motcua.local.embedded.ports import free_port, free_ports
from motcua.local.embedded.postgres import Postgres
from motcua.local.embedded.process import Child, require_free_port
from motcua.local.home import HomeLock
from motcua.local.keys import KEYS_FILE, ensure_keys
from motcua.local.prepare import prepare_database, required_keys
from motcua.local.processes import Site, http_ports, service_command, service_settings, sink_commands
from motcua.local.settings import MotcuaSettings
from shared.catalogue import load_centre
from shared.contracts.topics import ALL_TOPICS
from shared.kernel.errors import MotcuaError, StartError
from shared.messaging.admin import create_topics
from shared.runtime.settings import inherited_environment

_READY_SECONDS = 60.0


class StopRequestedError(MotcuaError):
    """The start was abandoned because `stop_requested` returned true before every process was ready."""


class ProcessEndedError(MotcuaError):
    """A process ended unexpectedly; the message has its exit status and the end of its log."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has exited: its name, exit code and log file, and the last lines of the log.

    As a string: a sentence for an error message.
    """

    name: str
    exit_code: int
    log: Path
    last_lines: str

    def __str__(self) -> str:
        return f"{self.name} {exit_description(self.exit_code)}. The end of {self.log}:\n{self.last_lines}"


def exit_description(exit_code: int) -> str:
    """Describe an exit code in words. A negative code is the signal that killed the process, for example SIGKILL."""
    if exit_code >= 0:
        return f"ended with status {exit_code}"
    return f"was killed from outside ({signal.Signals(-exit_code).name})"


class LocalCentre:
    """The processes of one centre with one home folder; nothing runs before `start`.

    `parts` maps the names of the started processes to the processes, in the order in which they were started. With
    `durable=False` committed rows survive a crash of the Postgres process, but not a crash of the machine.
    """

    def __init__(
        self,
        settings: MotcuaSettings,
        *,
        progress: Callable[[str], None] = lambda _: None,
        stop_requested: Callable[[], bool] = lambda: False,
        durable: bool = True,
    ) -> None:
        self.home = settings.home.resolve()
        self.parts: dict[str, Child] = {}
        self.tokens: dict[str, str] = {}
        self._settings = settings
        self._progress = progress
        self._stop_requested = stop_requested
        self._lock = HomeLock(self.home)
        self._postgres = Postgres(self.home / "postgres", settings.database_port, durable=durable)
        self._broker: kafka.Broker | None = None
        self._ports: dict[str, int] = {}
        self._http = httpx.Client(timeout=2.0, trust_env=False)
        self.centre = load_centre(settings.centre)
        self.site = Site(
            kafka=settings.bootstrap,
            databases={service: settings.database_url(service) for service in (*SERVICES, *READERS)},
            centre=settings.centre.resolve(),
            home=self.home,
            keys_file=self.home / KEYS_FILE,
            http_ports=http_ports(settings.http_port),
            smtp_port=settings.smtp_port,
            smtp_control_port=settings.smtp_control_port,
            sms_port=settings.sms_port,
            clock=settings.clock,
            clock_starts_at=settings.clock_starts_at,
        )

    def start(self, services: Iterable[str] = SERVICES) -> None:
        """Lock the home folder, start Postgres, Kafka, the sinks and `services`, and wait until each service is ready.

        Also creates missing API keys, database objects and topics. The default services are all except ops. Raises
        StartError or ProcessEndedError with the reason, or StopRequestedError between two steps. After an error,
        processes that were started continue to run until `stop`.
        """
        services = tuple(services)
        self._lock.acquire()
        self._check_ports(services)
        self.tokens = ensure_keys(self.home, required_keys(self._settings, self.centre))
        tools = self._kafka_tools()  # missing tools are reported before any process is started
        with ThreadPoolExecutor(max_workers=2) as executor:
            starts = [
                executor.submit(self._start_kafka, tools),
                executor.submit(self._start_database, services),
            ]
        for started in starts:
            started.result()
        self._step("Creating the topics")
        replication = self._settings.kafka_replication
        asyncio.run(create_topics(self.site.kafka, ALL_TOPICS, replication=replication))
        self._step("Starting the sinks for SMS and e-mail")
        for name, command in sink_commands(self.site).items():
            self._launch(name, command, {})
        for service in services:
            self._step(f"Starting {service}")
            self.start_service(service)
        for service in services:
            self._step(f"Waiting for {service}")
            self.wait_ready(service)

    def start_service(self, service: str, *, replica: int = 0, port: int | None = None) -> Child:
        """Start one process of a service and return it without waiting until it is ready.

        A second process of the same service needs its own `replica` number and `port`.
        """
        name = service if replica == 0 else f"{service}-{replica}"
        self._ports[name] = port if port is not None else self.site.http_ports[service]
        settings = service_settings(service, self.site, replica=replica, port=port)
        return self._launch(name, service_command(service), settings)

    def reason_not_ready(self, name: str) -> str | None:
        """Return why a process of `parts` cannot be used; None if it can.

        A service can if `/readyz` has status 200; Kafka, Postgres and sinks can while the process runs.
        """
        reasons = self._ask(name, "readyz")
        return reasons if isinstance(reasons, str) else _sentence(reasons.get("reasons", {}))

    def reason_not_advancing(self, name: str) -> str | None:
        """Return why a process of `parts` cannot be used or some part of it makes no progress; None if all do."""
        found = self._ask(name, "progress")
        if isinstance(found, str):
            return found
        parts = found.get("parts", {})
        stuck = {part: entry.get("reason", "") for part, entry in parts.items() if not entry.get("ok")}
        return self.reason_not_ready(name) or _sentence(stuck)

    def _ask(self, name: str, question: str) -> dict[str, Any] | str:
        """Return the report of a service; empty for a process without HTTP; the reason if there is no answer."""
        child = self.parts[name]
        if child.exit_code is not None:
            return exit_description(child.exit_code)
        if name not in self._ports:
            return {}
        try:
            report: dict[str, Any] = self._http.get(f"http://127.0.0.1:{self._ports[name]}/{question}").json()
        except (httpx.HTTPError, ValueError):
            return "does not answer"
        return report

    def ended(self) -> Ended | None:
        """Return the first process of `parts` that has exited; None if all run. Before `stop`, none is expected to."""
        for name, child in self.parts.items():
            if child.exit_code is not None:
                return Ended(name, child.exit_code, child.log, child.last_lines())
        return None

    def require_running(self) -> None:
        """Raise ProcessEndedError if any process of `parts` has exited."""
        if ended := self.ended():
            raise ProcessEndedError(str(ended))

    def stop(self) -> None:
        """Stop all processes, sinks and services first, then Kafka, then Postgres; then unlock the home folder.

        Does nothing for processes that do not run. This object cannot be started again.
        """
        for name, child in reversed(list(self.parts.items())):
            if name not in ("kafka", "postgres") and child.exit_code is None:
                self._progress(f"Stopping {name}")
                child.stop()
        if self._broker is not None:
            self._progress("Stopping Kafka")
            self._broker.stop()
        if self._postgres.child is not None:
            self._progress("Stopping Postgres")
            self._postgres.stop()
        self._http.close()
        self._lock.release()

    def address(self, name: str) -> str:
        """Return host:port of a process, for display."""
        own = {
            "postgres": self._settings.database_port,
            "kafka": self._settings.kafka_port,
            "smtp": self.site.smtp_port,
            "sms": self.site.sms_port,
        }
        return f"127.0.0.1:{own.get(name) or self._ports[name]}"

    def _step(self, sentence: str) -> None:
        self._check_running()
        self._progress(sentence)

    def _check_running(self) -> None:
        if self._stop_requested():
            raise StopRequestedError
        self.require_running()

    def _check_ports(self, services: Iterable[str]) -> None:
        for service in services:
            require_free_port(self.site.http_ports[service], purpose=service, setting="MOTCUA_HTTP_PORT")
        require_free_port(self.site.smtp_port, purpose="the mail sink", setting="MOTCUA_SMTP_PORT")
        require_free_port(self.site.smtp_control_port, purpose="the mail sink", setting="MOTCUA_SMTP_CONTROL_PORT")
        require_free_port(self.site.sms_port, purpose="the SMS simulator", setting="MOTCUA_SMS_PORT")

    def _kafka_tools(self) -> kafka.Toolchain | None:
        """Find Java and the broker's jars, downloading them if missing; None if an existing cluster is used."""
        return self._settings.toolchain(self._step) if self._settings.kafka is None else None

    def _start_kafka(self, tools: kafka.Toolchain | None) -> None:
        if tools is None:
            return
        self._progress(f"Starting Kafka {kafka.KAFKA_VERSION} on Java {tools.java.version}")
        self._broker = kafka.single(tools, self.home / "kafka", port=self._settings.kafka_port)
        self._broker.start()
        assert self._broker.child is not None, "set by start()"
        self.parts["kafka"] = self._broker.child

    def _start_database(self, services: Iterable[str]) -> None:
        if self._settings.database is None:
            self._progress("Starting Postgres")
            self._postgres.start()
            assert self._postgres.child is not None, "set by start()"
            self.parts["postgres"] = self._postgres.child
        version = self.centre.catalogue_version
        owners = [service for service in services if service in SERVICES]
        prepare_database(self._settings, owners, self._progress, catalogue_version=version)

    def _launch(self, name: str, command: list[str], settings: dict[str, str]) -> Child:
        log = self.home / "logs" / f"{name}.log"
        child = Child(name, command, log=log, env={**inherited_environment(), **settings})
        self.parts.pop(name, None)  # a restarted process moves to the end: it was started last
        self.parts[name] = child
        return child

    def wait_ready(self, name: str) -> None:
        """Block until a process of `parts` is ready and each of its parts makes progress.

        After a minute, a process that is ready is accepted with a line of progress that has the reason: a stopped
        partition must not prevent acts. Raises StartError if it is not ready by then, ProcessEndedError if any process
        has exited, and StopRequestedError.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while reason := self.reason_not_advancing(name):
            self._check_running()
            if time.monotonic() > deadline:
                if self.reason_not_ready(name) is None:
                    self._progress(f"{name} makes no progress ({reason}).")
                    return
                child = self.parts[name]
                raise StartError(
                    f"{name} is not ready after {_READY_SECONDS:.0f} s ({reason}). "
                    f"The end of {child.log}:\n{child.last_lines()}"
                )
            time.sleep(0.2)


def _sentence(reasons: Mapping[str, str]) -> str | None:
    return "; ".join(f"{part}: {reason}" for part, reason in reasons.items()) or None


def isolated_settings(settings: MotcuaSettings, *, home: Path) -> MotcuaSettings:
    """Return a copy of the settings for a centre that shares nothing with others and can run next to `motcua up`.

    The copy has the home folder `home`, free ports, and embedded Kafka and Postgres instead of existing servers.
    """
    smtp, smtp_control, sms, database = free_ports(4)
    return settings.model_copy(
        update={
            "home": home,
            "kafka": None,
            "kafka_port": free_port(span=2),
            "kafka_replication": 1,
            "database": None,
            "database_port": database,
            "http_port": free_port(span=6),
            "smtp_port": smtp,
            "smtp_control_port": smtp_control,
            "sms_port": sms,
        }
    )
