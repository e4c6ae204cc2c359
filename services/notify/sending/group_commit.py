"""Group commit of message updates: updates that arrive during a commit share the next transaction."""

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import structlog

from services.notify.domain.errors import MessageNotFoundError
from services.notify.domain.message import Message
from services.notify.sending.store import dossiers_of, lock_messages
from services.notify.tables import DOSSIERS, DossierRow
from shared.contracts.messages import MessageEvent
from shared.postgres.errors import is_transient
from shared.postgres.unit_of_work import Unit
from shared.runtime import metrics
from shared.service.process import Context

GROUP_SPLIT = "group_split"

OUTCOMES = metrics.counter("motcua_notify_outcomes_total", "Messages by outcome.", ("channel", "outcome"))

log = structlog.get_logger(__name__)

T = TypeVar("T")

Change = Callable[[Message, Unit[DossierRow], datetime], T]
"""Changes a message that is locked together with its dossier's row; the instant is machine time. It acts only on the
unit, because it is called again if the transaction is retried."""


@dataclass(slots=True, eq=False)
class _Update:
    message_id: UUID
    dossier_id: UUID | None
    change: Change[Any]
    result: asyncio.Future[Any]

    def finish(self, result: Any) -> None:
        """Return the result to the waiting caller, or raise it there if it is an exception.

        Nothing happens if the caller was cancelled.
        """
        if self.result.done():
            return
        if isinstance(result, Exception):
            self.result.set_exception(result)
        else:
            self.result.set_result(result)


class GroupCommit:
    """Updates stored messages in shared transactions, for all senders and delivery receipts of a process.

    An update never waits for a group to fill: the first one is committed at once, and all that arrive during its
    transaction are committed together in the next one.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pending: list[_Update] = []
        self._task: asyncio.Task[None] | None = None

    async def update(self, message_id: UUID, change: Change[T], *, dossier_id: UUID | None = None) -> T:
        """Call `change` on the locked message, and return its result after the commit.

        `dossier_id` is the message's dossier; it is looked up if missing. Raises MessageNotFoundError, and what
        `change` or the transaction raised. If one update makes a group fail, each update of the group is retried once
        in its own transaction; if the database is away, none is retried and all callers get that error.
        """
        update = _Update(message_id, dossier_id, change, asyncio.get_running_loop().create_future())
        self._pending.append(update)
        if self._task is None or self._task.done():
            # in an empty context: the task serves many requests, so the first one's ids must not be in its log lines
            self._task = asyncio.create_task(self._run(), context=contextvars.Context())
        result: T = await update.result
        return result

    async def _run(self) -> None:
        while self._pending:
            # the update of a cancelled caller is left out: the caller would not hand over the attempt that it records
            updates, self._pending = [update for update in self._pending if not update.result.done()], []
            await self._commit(updates)

    async def _commit(self, updates: Sequence[_Update]) -> None:
        try:
            results = await self._transact(updates)
        except Exception as error:  # noqa: BLE001 - the error is raised in each caller
            if len(updates) > 1 and not _is_database_away(error):
                log.warning(GROUP_SPLIT, messages=len(updates), error=f"{type(error).__name__}: {error}")
                await asyncio.gather(*(self._commit([update]) for update in updates))
                return
            results = [error] * len(updates)
        for update, result in zip(updates, results, strict=True):
            update.finish(result)

    async def _transact(self, updates: Sequence[_Update]) -> list[Any]:
        """Apply a group of updates in one transaction, commit, and return their results in order.

        The result for an unknown message is a MessageNotFoundError, which is returned and not raised.
        """
        dossiers = {update.message_id: update.dossier_id for update in updates if update.dossier_id is not None}
        if missing := {update.message_id for update in updates} - dossiers.keys():
            dossiers |= await dossiers_of(self._context.pool, missing)
        # a dossier's row is locked for the lock order alone; it is written only if an event takes the next sequence
        keys = set(dossiers.values())
        async with self._context.unit(DOSSIERS, keys, only_published=True) as (connection, unit):
            locked = await lock_messages(connection, dossiers)
            results = [_result(update, locked.get(update.message_id), unit) for update in updates]
        for event in unit.events:  # after the commit: a group that fails is decided again
            assert isinstance(event.data, MessageEvent), "notify publishes only message events"
            OUTCOMES.labels(event.data.channel, event.type.removeprefix("message.")).inc()
        return results


def _result(update: _Update, locked: tuple[Message, datetime] | None, unit: Unit[DossierRow]) -> Any:
    if locked is None:
        return MessageNotFoundError()
    message, machine = locked
    return update.change(message, unit, machine)


def _is_database_away(error: Exception) -> bool:
    """Whether the error is one of the database as a whole, and not of one row that is invalid or locked for long."""
    of_rows = isinstance(error, asyncpg.LockNotAvailableError | asyncpg.TransactionRollbackError)
    return is_transient(error) and not of_rows
