"""The sender of one channel: leases due messages, asks intake for the contacts, sends, and records what came of it.

A message is marked as under way, in a transaction that is committed before it is handed to the provider. So a sender
that dies after that leaves messages of which the next one knows that they may have gone out: AT_ONCE of them at most.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

import stamina
import structlog

from services.notify.contacts import Contact, Contacts
from services.notify.deciding import AFTER_FAILURE, Judge
from services.notify.domain.delivery import Answer, NoAnswer, NotTaken
from services.notify.gateways import Gateway
from services.notify.recording import Decide, Recorder
from services.notify.store import DOSSIERS, Message, claim, partitions_due
from services.notify.texts import Texts
from shared.contracts.topics import DEADLINES
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.kernel.errors import TransientError
from shared.messaging.consumer import Consumer
from shared.postgres.clock import refresh
from shared.postgres.errors import is_transient
from shared.service.process import Context

log = structlog.get_logger(__name__)

T = TypeVar("T")

AT_ONCE = 16
"""Messages leased, and with the provider, at the same time."""
LOOK_AGAIN_SECONDS = 0.3
"""How long a sender waits unasked: for what other replicas planned, is tried again, or was left by a dead one."""
CATCHING_UP_SECONDS = 0.1
STALLED_SECONDS = 30.0
STOP_SECONDS = 8.0
"""How long an orderly stop waits for answers that are under way; those cut off are in doubt."""


class Sender:
    """Sends the messages of `channel` until cancelled. Any number of senders may run, in any number of processes.

    `lease` must be longer than a look-up and a sending can take together. Gateway and contacts are closed at the end.
    """

    def __init__(
        self,
        channel: str,
        context: Context,
        recorder: Recorder,
        consumer: Consumer,
        *,
        gateway: Gateway,
        contacts: Contacts,
        texts: Texts,
        lease: timedelta,
    ) -> None:
        self._channel = channel
        self._context = context
        self._recorder = recorder
        self._consumer = consumer
        self._gateway = gateway
        self._contacts = contacts
        self._lease = lease
        self._judge = Judge(context.clock, texts, lease, gateway.can)
        self._under_way: set[asyncio.Task[None]] = set()
        self._planned: asyncio.Future[None]
        self._progress_at = time.monotonic()
        self._trouble: str | None = None

    async def run(self) -> None:
        """Send for ever. Trouble with the database is waited out; a message's own trouble holds up no other."""
        try:
            while True:
                try:
                    found = await self._start_due()
                except Exception as error:  # noqa: BLE001 - the loop goes on, and readiness tells of it
                    self._note_trouble(error)
                    await asyncio.sleep(AFTER_FAILURE.total_seconds())
                    continue
                self._progress_at, self._trouble = time.monotonic(), None
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
        """None while the sender gets on."""
        if time.monotonic() - self._progress_at < STALLED_SECONDS:
            return None
        return f"no progress for {STALLED_SECONDS:.0f} s: {self._trouble}"

    async def _start_due(self) -> bool:
        """Lease what is due, as far as there is room, and start it; True if there was anything.

        A message goes only while its dossier's events on Kafka, as far as the broker names them now, have been heard:
        after an outage the sender would otherwise be faster than the consumer, and tell what was overtaken meanwhile.
        """
        self._planned = self._consumer.published.next()
        self._under_way = {task for task in self._under_way if not task.done()}
        room = AT_ONCE - len(self._under_way)
        if room == 0:
            return False
        pool = self._context.pool
        await refresh(self._context.clock, pool)
        now = self._context.clock.now()
        due = await partitions_due(pool, channel=self._channel, now=now, limit=room)
        if due is None:
            return False
        heard = await self._consumer.caught_up_in_group(
            DOSSIERS_TOPIC, DEADLINES, awaited=due, within_seconds=CATCHING_UP_SECONDS
        )
        leased = await claim(pool, channel=self._channel, now=now, limit=room, lease=self._lease, partitions=heard)
        if not leased:
            return False
        # without locks: this only spares the contacts of what will be closed, all is judged again before it goes
        dossiers = await DOSSIERS.read_all(pool, {message.dossier_id for message in leased})
        wanted = [
            message
            for message in leased
            if message.next_step == "send" and not self._judge.must_not_go(message, dossiers[message.dossier_id])
        ]
        contacts = asyncio.create_task(self._look_up(wanted))
        self._under_way |= {asyncio.create_task(self._one(message, contacts)) for message in leased}
        if len(leased) < room:  # nothing waits: what is planned meanwhile shares the next look-up
            await asyncio.wait([contacts], timeout=LOOK_AGAIN_SECONDS)
        return True

    async def _wait(self) -> None:
        """Until there may be something to do: the consumer planned something while half the places are free, or it is
        time to look again.

        Places that get free one by one are filled together: each filling asks broker, database and intake anew.
        """
        until = time.monotonic() + LOOK_AGAIN_SECONDS
        under_way = self._under_way
        if len(under_way) <= AT_ONCE // 2:
            await asyncio.wait([self._planned], timeout=LOOK_AGAIN_SECONDS)
        while len(under_way) > AT_ONCE // 2 and (left := until - time.monotonic()) > 0:
            _, under_way = await asyncio.wait(under_way, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def _look_up(self, messages: Sequence[Message]) -> Mapping[UUID, Contact]:
        """The contacts for these messages; none when intake does not answer as it should."""
        try:
            return await self._contacts.look_up(messages) if messages else {}
        except TransientError as error:
            self._note_trouble(error, messages=len(messages))
            return {}

    async def _one(self, leased: Message, contacts: "asyncio.Task[Mapping[UUID, Contact]]") -> None:
        try:
            await self._deliver(leased, contacts)
        except Exception as error:  # noqa: BLE001 - one message must not hold up the others; its lease runs out
            self._note_trouble(error, message_id=str(leased.message_id))

    async def _deliver(self, leased: Message, contacts: "asyncio.Task[Mapping[UUID, Contact]]") -> None:
        message_id = leased.message_id
        match leased.next_step:
            case "answer":  # its sender died on the way: as if the provider had kept silent
                await self._record_surely(leased, NoAnswer())
            case "ask":
                if await self._surely(leased, partial(self._judge.may_ask, leased)):
                    await self._record_surely(leased, await self._gateway.ask(message_id), asked=True)
            case _:
                contact = (await contacts).get(message_id)
                address = contact.address(self._channel) if contact else None
                begin = partial(self._judge.begin, leased, contact, address)
                if outgoing := await self._surely(leased, begin):
                    await self._record_surely(leased, await self._gateway.send(outgoing))

    async def _record_surely(self, leased: Message, answer: Answer, *, asked: bool = False) -> None:
        """Record an answer: what the provider said must not be lost."""
        if isinstance(answer, NoAnswer | NotTaken):
            log.info(
                "message_not_settled",
                channel=self._channel,
                message_id=str(leased.message_id),
                answer=type(answer).__name__,
                asked=asked,
            )
        await self._surely(leased, partial(self._judge.settle, leased, answer, asked))

    async def _surely(self, leased: Message, decide: Decide[T]) -> T:
        """What `decide` answered, also when the database is away, or its dossier locked, for no longer than a lease."""
        retrying = stamina.retry_context(
            on=is_transient, attempts=None, timeout=self._lease.total_seconds(), wait_initial=0.1, wait_max=2.0
        )
        async for attempt in retrying:
            with attempt:
                return await self._recorder.record(leased.message_id, decide, dossier_id=leased.dossier_id)
        raise AssertionError("stamina gives an attempt or raises")

    def _note_trouble(self, error: Exception, **about: str | int) -> None:
        self._trouble = f"{type(error).__name__}: {error}"
        log.warning("sender_troubled", channel=self._channel, error=self._trouble, **about)
