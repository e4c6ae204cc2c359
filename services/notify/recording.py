"""Changes of messages under their dossiers' locks: what is asked for while one transaction commits shares the next."""

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import structlog

from services.notify.store import DOSSIERS, DossierRow, Message, dossiers_of, lock_messages
from shared.contracts.messages import MessageEvent
from shared.kernel.errors import ExpectedError
from shared.postgres.errors import is_transient
from shared.postgres.unit_of_work import Unit
from shared.runtime import metrics
from shared.service.process import Context

OUTCOMES = metrics.counter("motcua_notify_outcomes_total", "Messages by what became of them.", ("channel", "outcome"))

log = structlog.get_logger(__name__)

T = TypeVar("T")

Decide = Callable[[Message, Unit[DossierRow], datetime], T]
"""Decides on a message that is locked, with its dossier's row; the instant is machine time. It changes and publishes
within the unit alone, since it is asked again where the transaction has to be tried anew."""


@dataclass(slots=True, eq=False)
class _Wish:
    message_id: UUID
    dossier_id: UUID | None
    decide: Decide[Any]
    outcome: asyncio.Future[Any]

    def end(self, outcome: Any) -> None:
        """Tell whoever waits; nobody does for one that was cut off."""
        if self.outcome.done():
            return
        if isinstance(outcome, Exception):
            self.outcome.set_exception(outcome)
        else:
            self.outcome.set_result(outcome)


class Recorder:
    """The one writer of messages that exist, for the senders and the receipts of a process.

    Nobody waits for a group to fill: a change asked for alone is made at once, and those asked for meanwhile together
    after it. Each is committed when `record` returns.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting: list[_Wish] = []
        self._work: asyncio.Task[None] | None = None

    async def record(self, message_id: UUID, decide: Decide[T], *, dossier_id: UUID | None = None) -> T:
        """What `decide` answered, once its change is committed. The message's dossier is looked up where it is not
        given.

        Raises what `decide` or its transaction raised, and Refusal (404) when there is no such message. Where a
        group fails by one of its changes, each is made alone, side by side; where the database is away, all of it
        raises that.
        """
        wish = _Wish(message_id, dossier_id, decide, asyncio.get_running_loop().create_future())
        self._waiting.append(wish)
        if self._work is None or self._work.done():
            # in a context of its own: it works for many, so the first one's ids must not stand in its log lines
            self._work = asyncio.create_task(self._make(), context=contextvars.Context())
        outcome: T = await wish.outcome
        return outcome

    async def _make(self) -> None:
        while self._waiting:
            # nobody would hand over what is begun for one that was cut off
            wishes, self._waiting = [wish for wish in self._waiting if not wish.outcome.done()], []
            await self._together(wishes)

    async def _together(self, wishes: Sequence[_Wish]) -> None:
        try:
            outcomes = await self._transact(wishes)
        except Exception as error:  # noqa: BLE001 - whoever asked for the change is told
            if len(wishes) > 1 and not _is_away(error):
                log.warning("recorded_singly", messages=len(wishes), error=f"{type(error).__name__}: {error}")
                await asyncio.gather(*(self._together([wish]) for wish in wishes))
                return
            outcomes = [error] * len(wishes)
        for wish, outcome in zip(wishes, outcomes, strict=True):
            wish.end(outcome)

    async def _transact(self, wishes: Sequence[_Wish]) -> list[Any]:
        """The outcomes of a group that is committed; that of an unknown message is its refusal."""
        dossiers = {wish.message_id: wish.dossier_id for wish in wishes if wish.dossier_id is not None}
        if unknown := {wish.message_id for wish in wishes} - dossiers.keys():
            dossiers |= await dossiers_of(self._context.pool, unknown)
        # a dossier's row is locked for its order alone, and changes only where an event draws a sequence from it
        keys = set(dossiers.values())
        async with self._context.unit(DOSSIERS, keys, only_published=True) as (connection, unit):
            locked = await lock_messages(connection, dossiers)
            outcomes = [_decided(wish, locked.get(wish.message_id), unit) for wish in wishes]
        for event in unit.events:  # once they are committed: a group that fails is decided again
            assert isinstance(event.data, MessageEvent), "notify tells of messages alone"
            OUTCOMES.labels(event.data.channel, event.type.removeprefix("message.")).inc()
        return outcomes


def _decided(wish: _Wish, locked: tuple[Message, datetime] | None, unit: Unit[DossierRow]) -> Any:
    if locked is None:
        return ExpectedError("no-such-message", "no message of this id was planned here", status=404)
    message, machine = locked
    return wish.decide(message, unit, machine)


def _is_away(error: Exception) -> bool:
    """Whether the database would serve none of a group, rather than one of its rows be at fault or locked for long."""
    of_rows = isinstance(error, asyncpg.LockNotAvailableError | asyncpg.TransactionRollbackError)
    return is_transient(error) and not of_rows
