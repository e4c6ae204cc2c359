"""One process a member name: two static members of one name would displace each other without end."""

import asyncio
import time

from shared.kernel.errors import StartError
from shared.messaging.partition import StopConsumingError
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from shared.postgres.pool import connect

_LOCK = "select pg_try_advisory_lock(hashtext($1), hashtext($2))"
_LOOK_SECONDS = 2.0
_PATIENCE_SECONDS = 3.0
"""The database may take a moment to notice that a killed process, restarted under its name, is gone."""
_FROZEN_SECONDS = 10
"""A holder that does not look for so long (frozen, or its machine lost) loses the name, as it does in Kafka's group."""


class Membership:
    """Holds the advisory lock on group and member name, on a connection of its own."""

    def __init__(self, dsn: str, schema: str, *, group: str, member: str) -> None:
        self._dsn = dsn
        self._schema = schema
        self._group = group
        self._member = member

    async def acquire(self) -> None:
        """Take the lock. Raises StartError when another process keeps the name."""
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        self._connection = await connect(self._dsn, self._schema, idle_seconds=_FROZEN_SECONDS)
        try:
            while not await self._connection.fetchval(_LOCK, self._group, self._member):
                if time.monotonic() > give_up_at:
                    raise StartError(
                        f"another process is member {self._member} of {self._group}: "
                        "give this replica a name of its own"
                    )
                await asyncio.sleep(0.2)
        except BaseException:
            self._connection.terminate()
            raise

    def release(self) -> None:
        """Give the name back, if it is still quarantined."""
        self._connection.terminate()

    async def run(self) -> None:
        """Keep the lock until cancelled. Raises StopConsumingError when another process took it meanwhile."""
        try:
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                try:
                    await self._connection.execute("select 1")
                except CONNECTION_ERRORS:
                    await self._again()
        finally:
            self._connection.terminate()

    async def _again(self) -> None:
        """The connection died (the database restarted, say): take the lock again before anybody else does."""
        self._connection.terminate()
        try:
            await self.acquire()
        except StartError as error:
            raise StopConsumingError(
                f"lost the member name {self._member} of {self._group} to another process"
            ) from error
        except CONNECTION_ERRORS as error:
            if not is_transient(error):
                raise
