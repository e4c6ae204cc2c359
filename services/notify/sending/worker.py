"""The sender of one channel: leases due messages, looks up contacts, sends, and records the provider's answers.

An attempt is recorded in a transaction that is committed before the provider gets the message. If a sender dies after
this commit, the stored state shows which messages may have been sent: at most MAX_CONCURRENT.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import stamina
import structlog

from services.notify.domain.delivery import Answer, NoAnswer, NotAccepted
from services.notify.domain.message import Message
from services.notify.sending.contacts import Contact, ContactLookup
from services.notify.sending.gateways import Gateway
from services.notify.sending.group_commit import Change, GroupCommit
from services.notify.sending.handlers import RETRY_PAUSE, SendHandlers
from services.notify.sending.store import due_partitions, lease_due
from services.notify.tables import DOSSIERS, MESSAGES
from services.notify.texts import Texts
from shared.contracts.topics import ASSIGNMENTS, DEADLINES
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.kernel.errors import TransientError
from shared.messaging.consumer import Consumer
from shared.postgres.clock import refresh
from shared.postgres.errors import is_fault_of_content, is_transient
from shared.postgres.set_aside import SetAside
from shared.service.process import Context

log = structlog.get_logger(__name__)

T = TypeVar("T")

ANSWER_INCONCLUSIVE = "answer_inconclusive"
SENDER_FAILED = "sender_failed"

MAX_CONCURRENT = 16
"""Messages that are leased, and with the provider, at the same time."""
POLL_SECONDS = 0.3
"""The interval at which a sender polls for messages that other replicas planned, that are due for a retry, or whose
sender died."""
CATCH_UP_SECONDS = 0.1
STALLED_SECONDS = 30.0
STOP_SECONDS = 8.0
"""How long an orderly stop waits for answers of the provider; messages without an answer by then are in doubt."""


class Sender:
    """Sends the messages of one channel. Any number of senders may run, in any number of processes.

    `lease` must be longer than a contact look-up and an attempt together. `run` closes `gateway` and `contacts` at its
    end.
    """

    def __init__(
        self,
        channel: str,
        context: Context,
        group_commit: GroupCommit,
        consumer: Consumer,
        *,
        gateway: Gateway,
        contacts: ContactLookup,
        texts: Texts,
        lease: timedelta,
    ) -> None:
        self._channel = channel
        self._context = context
        self._group_commit = group_commit
        self._consumer = consumer
        self._gateway = gateway
        self._contacts = contacts
        self._lease = lease
        self._handlers = SendHandlers(context.clock, texts, lease, gateway.capabilities)
        self._set_aside = SetAside(context.pool, table=MESSAGES.name, worker=f"sender_{channel}")
        self._under_way: set[asyncio.Task[None]] = set()
        self._planned: asyncio.Future[None]
        self._progress_at = time.monotonic()
        self._failure: str | None = None

    async def run(self) -> None:
        """Send messages until cancelled, then wait up to STOP_SECONDS for attempts under way and close the connections.

        A failure of the database is retried; a failure of one message delays no other.
        """
        try:
            while True:
                try:
                    found = await self._start_due()
                except Exception as error:  # noqa: BLE001 - the loop continues, and readiness reports the failure
                    self._record_failure(error)
                    await asyncio.sleep(RETRY_PAUSE.total_seconds())
                    continue
                self._progress_at, self._failure = time.monotonic(), None
                if not found:
                    await self._wait()
        finally:
            if self._under_way:
                _, late = await asyncio.wait(self._under_way, timeout=STOP_SECONDS)
                for task in late:
                    task.cancel()
            await self._gateway.close()
            await self._contacts.close()

    def reason_not_ready(self) -> str | None:
        """Return None while the sender makes progress, else a text with the last failure."""
        if time.monotonic() - self._progress_at < STALLED_SECONDS:
            return None
        return f"no progress for {STALLED_SECONDS:.0f} s: {self._failure}"

    def figures(self) -> dict[str, Any]:
        """Return the seconds since the sender made progress, and the number of messages under way."""
        seconds = round(time.monotonic() - self._progress_at, 1)
        return {"seconds_since_step": seconds, "under_way": len(self._under_way)}

    async def _start_due(self) -> bool:
        """Lease due messages up to MAX_CONCURRENT, start a task for each, and return whether any was leased.

        A message is sent only if all events of its dossier that are on Kafka now have been handled. Otherwise the
        sender could be faster than the consumer after an outage, and send what was overtaken in the meantime. So
        nothing is sent about the dossiers of a partition that has stopped, on any of the three topics.
        """
        self._planned = self._consumer.published.next()
        self._under_way = {task for task in self._under_way if not task.done()}
        room = MAX_CONCURRENT - len(self._under_way)
        if room == 0:
            return False
        pool = self._context.pool
        await refresh(self._context.clock, pool)
        now = self._context.clock.now()
        due = await due_partitions(pool, channel=self._channel, now=now, limit=room)
        if due is None:
            return False
        caught_up = await self._consumer.caught_up_in_group(
            DOSSIERS_TOPIC, DEADLINES, ASSIGNMENTS, awaited=due, within_seconds=CATCH_UP_SECONDS
        )
        leased = await lease_due(
            pool, channel=self._channel, now=now, limit=room, lease=self._lease, partitions=caught_up
        )
        if not leased:
            return False
        contacts = asyncio.create_task(self._look_up(await self._sendable(leased)))
        self._under_way |= {asyncio.create_task(self._process(message, contacts)) for message in leased}
        if len(leased) < room:  # no backlog: messages that are planned meanwhile share the next look-up
            await asyncio.wait([contacts], timeout=POLL_SECONDS)
        return True

    async def _sendable(self, leased: Sequence[Message]) -> list[Message]:
        """Return the messages whose contacts are needed, as far as this is known without locks.

        It only avoids look-ups for messages that will be closed: each is checked again under lock. There a message that
        cannot be decided fails by itself; here it must not delay the others.
        """
        to_send = [message for message in leased if message.next_step == "send"]
        try:
            dossiers = await DOSSIERS.read_all(self._context.pool, {message.dossier_id for message in to_send})
            return [one for one in to_send if not self._handlers.reason_not_to_send(one, dossiers[one.dossier_id])]
        except Exception as error:
            if not is_fault_of_content(error):
                raise
            return to_send

    async def _wait(self) -> None:
        """Wait, for POLL_SECONDS at most, until it is worth leasing messages again.

        If at most half of MAX_CONCURRENT messages are under way, that is when the consumer planned a message; otherwise
        when half of them have ended. Messages are leased several at a time, because each time costs a request to the
        broker, the database and intake.
        """
        until = time.monotonic() + POLL_SECONDS
        under_way = self._under_way
        if len(under_way) <= MAX_CONCURRENT // 2:
            await asyncio.wait([self._planned], timeout=POLL_SECONDS)
        while len(under_way) > MAX_CONCURRENT // 2 and (left := until - time.monotonic()) > 0:
            _, under_way = await asyncio.wait(under_way, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def _look_up(self, messages: Sequence[Message]) -> Mapping[UUID, Contact]:
        """Request the contacts for these messages from intake; log a failure of intake, and return an empty mapping."""
        try:
            return await self._contacts.fetch(messages) if messages else {}
        except TransientError as error:
            self._record_failure(error, messages=len(messages))
            return {}

    async def _process(self, leased: Message, contacts: "asyncio.Task[Mapping[UUID, Contact]]") -> None:
        try:
            await self._take_next_step(leased, contacts)
        except Exception as error:  # noqa: BLE001 - one message must not delay the others; its lease ends
            self._record_failure(error, message_id=str(leased.message_id))

    async def _take_next_step(self, leased: Message, contacts: "asyncio.Task[Mapping[UUID, Contact]]") -> None:
        message_id = leased.message_id
        match leased.next_step:
            case "await_answer":  # its sender died during the attempt: the same as no answer from the provider
                await self._settle(leased, NoAnswer())
            case "query_status":
                if await self._update(leased, partial(self._handlers.may_query, leased)):
                    await self._settle(leased, await self._gateway.query(message_id), queried=True)
            case _:
                contact = (await contacts).get(message_id)
                address = contact.address(self._channel) if contact else None
                start = partial(self._handlers.start_attempt, leased, contact, address)
                if outgoing := await self._update(leased, start):
                    await self._settle(leased, await self._gateway.send(outgoing))

    async def _settle(self, leased: Message, answer: Answer, *, queried: bool = False) -> None:
        """Store what follows from the provider's answer, and log an answer that is not definite."""
        if isinstance(answer, NoAnswer | NotAccepted):
            log.info(
                ANSWER_INCONCLUSIVE,
                channel=self._channel,
                message_id=str(leased.message_id),
                answer=type(answer).__name__,
                queried=queried,
            )
        await self._update(leased, partial(self._handlers.settle, leased, answer, queried))

    async def _update(self, leased: Message, change: Change[T]) -> T:
        """Commit `change` for the leased message and return its result.

        While the database is away or the dossier is locked, it is retried for the duration of one lease. If the
        decision itself fails, the message is set aside: it would fail again after each lease.
        """
        retrying = stamina.retry_context(
            on=is_transient, attempts=None, timeout=self._lease.total_seconds(), wait_initial=0.1, wait_max=2.0
        )
        async for attempt in retrying:
            with attempt:
                try:
                    return await self._group_commit.update(leased.message_id, change, dossier_id=leased.dossier_id)
                except Exception as error:
                    if is_fault_of_content(error):
                        await self._set_aside.add(leased.message_id, error)
                    raise
        raise AssertionError("stamina either returns an attempt or raises")

    def _record_failure(self, error: Exception, **details: str | int) -> None:
        self._failure = f"{type(error).__name__}: {error}"
        log.warning(SENDER_FAILED, channel=self._channel, error=self._failure, **details)
