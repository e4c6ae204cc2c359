"""Static members of a consumer group, and exclusive claims on their names: two owners would displace each other."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer

from shared.kernel.errors import StartError
from shared.messaging.partition import StopConsumingError
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from shared.postgres.pool import connect

_LOCK = "select pg_try_advisory_lock(hashtext($1), hashtext($2))"
_CHECK_SECONDS = 2.0
_RETRY_SECONDS = 0.2
_ACQUIRE_SECONDS = 3.0
"""The database needs a moment to detect that a killed process, restarted under the same name, is gone."""
_FROZEN_SECONDS = 10
"""An owner that is idle for this long (frozen, or its machine lost) loses the name, as it does in Kafka's group."""

_NEVER_MS = 24 * 3600 * 1000
"""Kafka's limit between two polls (max.poll.interval.ms), in effect off. After it aiokafka leaves the group and never
joins again, so five minutes without the database would end consumption. The consumer detects a stall itself."""


class Membership:
    """The exclusive claim of one process on a member name of a group: an advisory lock, on a dedicated connection."""

    def __init__(self, dsn: str, schema: str, *, group: str, member: str) -> None:
        self._dsn = dsn
        self._schema = schema
        self._group = group
        self._member = member

    async def acquire(self) -> None:
        """Claim the name; wait up to three seconds for it. Raises StartError if another process has it."""
        give_up_at = time.monotonic() + _ACQUIRE_SECONDS
        self._connection = await connect(self._dsn, self._schema, idle_seconds=_FROZEN_SECONDS)
        try:
            while not await self._connection.fetchval(_LOCK, self._group, self._member):
                if time.monotonic() > give_up_at:
                    raise StartError(
                        f"Another process is member {self._member} of {self._group}. "
                        "Give this replica its own member name."
                    )
                await asyncio.sleep(_RETRY_SECONDS)
        except BaseException:
            self._connection.terminate()
            raise

    def release(self) -> None:
        """Close the connection, which releases the name if this process still has it."""
        self._connection.terminate()

    async def run(self) -> None:
        """Check the connection every two seconds until cancelled, and claim the name again if the connection was lost.

        Releases the name at the end. Raises StopConsumingError if another process claimed the name meanwhile.
        """
        try:
            while True:
                await asyncio.sleep(_CHECK_SECONDS)
                try:
                    await self._connection.execute("select 1")
                except CONNECTION_ERRORS:
                    await self._reacquire()
        finally:
            self._connection.terminate()

    async def _reacquire(self) -> None:
        """Claim the name again after the connection ended, for example because the database restarted.

        If the database is away, return without the claim. Raises StopConsumingError if another process has the name.
        """
        self._connection.terminate()
        try:
            await self.acquire()
        except StartError as error:
            raise StopConsumingError(
                f"Another process took over the member name {self._member} of {self._group}."
            ) from error
        except CONNECTION_ERRORS as error:
            if not is_transient(error):
                raise


def create_member(bootstrap: str, *, group: str, member: str, session_seconds: int) -> AIOKafkaConsumer:
    """Return a Kafka client that joins `group` as static member `member` once it is started. It commits no offset."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=group,
        group_instance_id=member,
        client_id=member,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=session_seconds * 1000,
        heartbeat_interval_ms=2000,
        max_poll_interval_ms=_NEVER_MS,
        fetch_max_wait_ms=100,  # a busy partition waits for the pending fetch of its idle neighbours
        max_partition_fetch_bytes=1 << 20,
    )
