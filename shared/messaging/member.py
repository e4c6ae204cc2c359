"""One process a member name: two static members of one name would displace each other without end."""

import asyncio

from shared.kernel.errors import StartError
from shared.messaging.partition import StopConsumingError
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from shared.postgres.pool import connect

_LOCK = "select pg_try_advisory_lock(hashtext($1), hashtext($2))"
_LOOK_SECONDS = 2.0


class Membership:
    """Holds the advisory lock on group and member name, on a connection of its own."""

    def __init__(self, dsn: str, schema: str, *, group: str, member: str) -> None:
        self._dsn = dsn
        self._schema = schema
        self._group = group
        self._member = member

    async def acquire(self) -> None:
        """Take the lock. Raises StartError when another process has the name."""
        self._connection = await connect(self._dsn, self._schema)
        if not await self._connection.fetchval(_LOCK, self._group, self._member):
            await self._connection.close()
            raise StartError(
                f"another process is member {self._member} of {self._group}: give this replica a name of its own"
            )

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
