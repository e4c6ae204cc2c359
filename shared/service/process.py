"""One service process: it starts, runs and stops pool, member name, consumer, relay, HTTP and workers in order.

`python -m services.<name> run|migrate|check-config` is the same for every service.
"""

import asyncio
import contextlib
import gc
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic

import asyncpg
import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from typing_extensions import TypeVar

from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from shared.kernel.clock import Clock
from shared.kernel.errors import MotcuaError, StartError
from shared.messaging.applier import Stream
from shared.messaging.consumer import Consumer
from shared.messaging.membership import Membership
from shared.messaging.relay import Relay
from shared.postgres.clock import SimulatedClock, open_clock
from shared.postgres.errors import CONNECTION_ERRORS
from shared.postgres.migrate import check_migrated, migrate
from shared.postgres.outbox import Publisher
from shared.postgres.periodic import Worker
from shared.postgres.pool import Connection, create_pool, reason_not_answering
from shared.postgres.preparation import check_prepared
from shared.postgres.rows import Row, Table
from shared.postgres.unit_of_work import Claim, Unit, claimed_unit_of_work, unit_of_work
from shared.runtime import logs
from shared.runtime.settings import ServiceSettings, load
from shared.runtime.supervision import Part, stop_on_signals, supervise
from shared.service import openapi
from shared.service.backlog import Backlog
from shared.service.bodies import BodyRule
from shared.service.clock_api import clock_routes
from shared.service.health import Health
from shared.service.http import create_app
from shared.service.keys import KeyRing
from shared.service.provided import provide

log = structlog.get_logger()

SERVICE_STARTED = "service_started"
SERVICE_STOPPED = "service_stopped"
MIGRATION_APPLIED = "migration_applied"
CONFIG_VALID = "config_valid"

KEEP_ALIVE_SECONDS = 30
"""How long an idle HTTP connection stays open. Clients must close first (httpx after 5 s, aiohttp after 15 s): a
request that meets the server's close fails without an answer."""

R = TypeVar("R", bound=Row)
S = TypeVar("S", bound=ServiceSettings)
S_co = TypeVar("S_co", bound=ServiceSettings, covariant=True, default=ServiceSettings)


@dataclass(frozen=True)
class Context(Generic[S_co]):
    """The common objects of a service process, from which the service builds its consumer, routes and workers."""

    service: str
    settings: S_co
    centre: Centre
    pool: asyncpg.Pool
    publisher: Publisher
    clock: Clock
    relay: Relay
    health: Health

    def create_consumer(self, streams: Sequence[Stream[Any]]) -> Consumer:
        """Return a new consumer of `streams` that does not run yet. Call it once, and return the consumer in Parts."""
        settings = self.settings
        return Consumer(
            streams,
            bootstrap=settings.kafka_bootstrap,
            group=self.service,
            member=settings.member,
            pool=self.pool,
            publisher=self.publisher,
            clock=self.clock,
            wake_relay=self.relay.wake,
            stall_seconds=settings.stall_seconds,
        )

    def unit(
        self, table: Table[R], keys: Iterable[Any], *, only_published: bool = False
    ) -> AbstractAsyncContextManager[tuple[Connection, Unit[R]]]:
        """Return a context manager for one transaction on the rows of `keys`: see unit_of_work."""
        return unit_of_work(
            self.pool,
            table,
            keys,
            publisher=self.publisher,
            clock=self.clock,
            on_publish=self.relay.wake,
            only_published=only_published,
        )

    def claimed_unit(self, table: Table[R], claim: Claim[R]) -> AbstractAsyncContextManager[tuple[Connection, Unit[R]]]:
        """Return a context manager for one transaction on the rows that `claim` locks: see claimed_unit_of_work."""
        return claimed_unit_of_work(
            self.pool, table, claim, publisher=self.publisher, clock=self.clock, on_publish=self.relay.wake
        )


@dataclass(frozen=True)
class Process(Generic[S_co]):
    """A service that is set up but whose parts (consumer, relay, HTTP, workers) are not running yet.

    Used by tests, and by `run_service`, which runs and supervises the parts.
    """

    context: Context[S_co]
    app: FastAPI
    consumer: Consumer
    parts: dict[str, Part]


@dataclass(frozen=True)
class Parts:
    """What a service adds to the process: its consumer, routes and workers.

    `provides` are the objects that routes depend on (see `shared.service.provided`), besides Context and Consumer. The
    process runs the `workers` and reports their progress.
    `body_rules` (path to rule) are for paths that accept other bodies than JSON of at most 1 MiB. `prepare` is called
    once, before any record is consumed or request answered.
    """

    consumer: Consumer
    routers: Sequence[APIRouter] = ()
    provides: Sequence[object] = ()
    workers: Mapping[str, Worker] = field(default_factory=dict)
    body_rules: Mapping[str, BodyRule] = field(default_factory=dict)
    prepare: Callable[[], Awaitable[None]] | None = None


Build = Callable[[Context[S]], Awaitable[Parts]]
"""A service's composition root: the function that builds every part of it."""


class _Server(uvicorn.Server):
    """A uvicorn server that installs no signal handlers; the process handles signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def running(
    service: str, settings: S, build: Build[S], *, clock: Clock | None = None
) -> AsyncIterator[Process[S]]:
    """Context manager that sets up a service and yields it as a Process, without running its parts.

    At the end, the database pool is closed and the member name released. Raises StartError if the service cannot start
    as configured, and OSError or an asyncpg error if the database does not answer.
    """
    centre = load_centre(settings.centre)
    membership = Membership(settings.database_url, service, group=service, member=settings.member)
    await membership.acquire()
    try:
        pool = await create_pool(settings.database_url, service)
    except BaseException:
        membership.release()
        raise
    try:
        await check_prepared(pool, centre.catalogue_version)
        publisher = Publisher(service, centre.code, settings.epoch, centre.catalogue_version)
        relay = Relay(
            settings.database_url, service, bootstrap=settings.kafka_bootstrap, client_id=f"{settings.member}-relay"
        )
        clock = clock or await open_clock(pool, service, kind=settings.clock, starts_at=settings.clock_starts_at)
        health = Health("consumer", "relay")
        context = Context(service, settings, centre, pool, publisher, clock, relay, health)
        parts = await build(context)
        backlog = Backlog(pool, relay)
        health.require("database", partial(reason_not_answering, pool))
        health.register("consumer", parts.consumer.reason_not_ready, parts.consumer.figures)
        health.register("relay", backlog.relay_reason, backlog.relay_figures)
        workers = {**parts.workers, "backlog": backlog.worker}
        for name, worker in workers.items():
            health.register(name, worker.reason_not_ready, partial(backlog.worker_figures, name, worker))
        app = create_app(
            f"motcua {service}",
            description=openapi.DESCRIPTIONS.get(service, ""),
            health=health,
            keys=KeyRing(settings.keys_file),
            catalogue_version=centre.catalogue_version,
            body_rules=parts.body_rules,
            transient_errors=(
                asyncpg.InterfaceError,
                asyncpg.PostgresConnectionError,
                asyncpg.OperatorInterventionError,
            ),
        )
        provide(app, [context, parts.consumer, *parts.provides])
        openapi.include_routers(app, (clock_routes(clock, pool), *parts.routers))
        if parts.prepare is not None:
            await parts.prepare()
        # stopped in reverse order: first no more requests, then no more work, last the relay that publishes its events
        supervised: dict[str, Part] = {
            "member": membership.run,
            "relay": relay.run,
            "consumer": parts.consumer.run,
            **{name: worker.run for name, worker in workers.items()},
            **({"clock": partial(clock.follow, pool)} if isinstance(clock, SimulatedClock) else {}),
            "http": http_part(app, settings),
        }
        yield Process(context, app, parts.consumer, supervised)
    finally:
        pool.terminate()
        membership.release()


def http_part(app: FastAPI, settings: ServiceSettings) -> Part:
    """Return the part that serves HTTP until cancelled. Running it raises StartError if the port is in use."""

    async def serve() -> None:
        try:  # bound here, because uvicorn would exit the process on an error
            listener = socket.create_server((settings.host, settings.port))
        except OSError as error:
            raise StartError(
                f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}). Set another PORT, or stop the "
                "process that uses it."
            ) from error
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(settings.stop_seconds),
            limit_concurrency=1000,
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            server.should_exit = True
            await running
            raise
        finally:
            listener.close()

    return serve


def tune_garbage_collection() -> None:
    """Make Python's garbage collector run once per 50,000 new objects, and never scan the objects that exist now.

    A batch has thousands of objects that live until its commit. With Python's default thresholds each record would make
    the collector scan those before it, which takes a fifth of a consumer's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


async def run_service(service: str, settings: S, build: Build[S]) -> None:
    """Set up a service and run all its parts until SIGTERM or SIGINT, then stop them.

    Raises StartError if it cannot start, and PartEndedError if a part ends by itself.
    """
    stop = asyncio.Event()
    with stop_on_signals(stop):
        async with running(service, settings, build) as process:
            tune_garbage_collection()
            log.info(SERVICE_STARTED, service=service, member=settings.member, port=settings.port)
            await supervise(process.parts, stop=stop, grace_seconds=settings.stop_seconds)
    log.info(SERVICE_STOPPED, service=service, member=settings.member)


def main(
    service: str,
    settings_class: type[S],
    build: Build[S],
    *,
    migrations: Path,
    check: Callable[[Centre], object] = lambda _: None,
) -> int:
    """Execute the command line of a service, and return its exit status.

    0: success. 1: a part failed while running. 2: wrong usage. 3: the configuration or the environment prevents it.
    `check` is called by check-config with the loaded centre, for the service's own checks; it raises StartError.
    """
    commands = ("run", "migrate", "check-config")
    command = sys.argv[1] if len(sys.argv) == 2 else ""
    if command not in commands:
        print(f"usage: python -m services.{service} {'|'.join(commands)}", file=sys.stderr)  # noqa: T201 - output of a command
        return 2
    try:
        settings = load(settings_class)
        logs.configure(service, settings.log_level, member=settings.member)
        if command == "migrate":
            for name in migrate(settings.database_url, service, migrations):
                log.info(MIGRATION_APPLIED, migration=name)
        elif command == "check-config":
            centre = load_centre(settings.centre)
            check(centre)
            log.info(CONFIG_VALID, centre=centre.code, version=centre.catalogue_version)
        else:
            check_migrated(settings.database_url, service, migrations)
            asyncio.run(run_service(service, settings, build))
    except (StartError, *CONNECTION_ERRORS) as error:
        print(f"{service}: {error}", file=sys.stderr)  # noqa: T201 - output of a command
        return 3
    except MotcuaError as error:
        print(f"{service}: {error}", file=sys.stderr)  # noqa: T201 - output of a command
        return 3 if isinstance(error.__cause__, StartError) else 1
    return 0
