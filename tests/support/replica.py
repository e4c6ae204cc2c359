"""A replica of the test service in its own process, which tests kill and freeze.

`python -m tests.support.replica <JSON of Replica>`. Exit status: 0 stopped, 1 failed, 3 not started.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from motcua.local.embedded.process import Child
from shared.contracts.dossiers import DossierStepRecordedV1
from shared.contracts.envelope import EventEnvelope
from shared.contracts.topics import TOPICS, Topic
from shared.kernel.errors import MotcuaError, StartError
from shared.messaging import consumer as consumer_module
from shared.messaging.applier import Stream
from shared.messaging.membership import Membership
from shared.messaging.relay import Relay
from shared.postgres import pool as pool_module
from shared.postgres.unit_of_work import Unit
from shared.runtime import logs
from shared.runtime.supervision import stop_on_signals, supervise
from tests.support.delivery import SERVICE, TALLIES, FrozenClock, Tally, counting, publisher

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Replica:
    """The parameters of the process: it consumes `topics` (name to partitions) or, with `relays`, is their relay.

    The handler pauses for `pause_ms` per record. At the activity `freezes_at` the process stops itself with SIGSTOP,
    inside the transaction.
    """

    bootstrap: str
    dsn: str
    group: str
    member: str
    topics: dict[str, int] = field(default_factory=dict)
    relays: bool = False
    pause_ms: float = 0
    freezes_at: str = ""
    session_seconds: int = consumer_module.SESSION_SECONDS
    frozen_seconds: int = pool_module.FROZEN_TRANSACTION_SECONDS

    @contextmanager
    def process(self, log: Path) -> Iterator[Child]:
        """Run the process inside the context. Kills it at the end, and blocks until it is gone."""
        command = [sys.executable, "-m", "tests.support.replica", json.dumps(asdict(self))]
        child = Child(self.member, command, log=log, cwd=ROOT)
        try:
            yield child
        finally:
            child.kill()


def handler(replica: Replica) -> Any:
    """The counting handler, with the replica's pause and freeze."""
    count = counting()

    def on_step(event: EventEnvelope[Any], unit: Unit[Tally]) -> None:
        count(event, unit)
        time.sleep(replica.pause_ms / 1000)
        if event.data.activity == replica.freezes_at:
            os.kill(os.getpid(), signal.SIGSTOP)

    return on_step


async def run(replica: Replica) -> None:
    """Run the parts of a service's process without HTTP."""
    stop = asyncio.Event()
    with stop_on_signals(stop):
        membership = Membership(replica.dsn, SERVICE, group=replica.group, member=replica.member)
        await membership.acquire()
        pool = await pool_module.create_pool(replica.dsn, SERVICE)
        topics = [Topic(name, owner="intake", partitions=count) for name, count in replica.topics.items()]
        TOPICS.update({topic.name: topic for topic in topics})
        parts: dict[str, Any] = {"member": membership.run}
        if replica.relays:
            parts["relay"] = Relay(replica.dsn, SERVICE, bootstrap=replica.bootstrap, client_id=replica.member).run
        else:
            parts["consumer"] = consumer_module.Consumer(
                [
                    Stream(topic=topic, table=TALLIES, handlers={DossierStepRecordedV1: handler(replica)})
                    for topic in topics
                ],
                bootstrap=replica.bootstrap,
                group=replica.group,
                member=replica.member,
                pool=pool,
                publisher=publisher(SERVICE),
                clock=FrozenClock(),
                wake_relay=lambda: None,
            ).run
        try:
            await supervise(parts, stop=stop)
        finally:
            pool.terminate()


def main() -> int:
    """Run the replica given on the command line; returns the exit status."""
    replica = Replica(**json.loads(sys.argv[1]))
    logs.configure(SERVICE, member=replica.member)
    consumer_module.SESSION_SECONDS = replica.session_seconds
    pool_module.FROZEN_TRANSACTION_SECONDS = replica.frozen_seconds
    try:
        asyncio.run(run(replica))
    except StartError as error:
        print(error)
        return 3
    except MotcuaError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
