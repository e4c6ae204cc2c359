"""The sender of one channel: leases due messages, asks intake for the contact, sends, and records what came of it.

A message is marked as under way, in a commit of its own, before it is handed to the provider. So a sender that dies
after that leaves a message of which the next one knows that it may have gone out.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import stamina
import structlog

from services.notify.contacts import Contact, Contacts
from services.notify.domain.delivery import (
    Accepted,
    Answer,
    NoAnswer,
    NotTaken,
    Step,
    after_asking,
    after_sending,
    given_up,
    in_doubt_after,
)
from services.notify.domain.planning import Known, as_of, is_overtaken
from services.notify.domain.sms import encode
from services.notify.gateways import Gateway, Outgoing
from services.notify.outcomes import record
from services.notify.recording import Decide, Recorder
from services.notify.store import DOSSIERS, MESSAGES, DossierRow, Message, any_due, claim, machine_now, release
from services.notify.texts import Texts
from shared.contracts.topics import DEADLINES
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.kernel.errors import TransientError
from shared.messaging.service import Context
from shared.postgres.clock import look
from shared.postgres.errors import is_transient
from shared.postgres.unit import Unit

log = structlog.get_logger(__name__)

AT_ONCE = 16
"""Messages leased, and with the provider, at the same time."""
LOOK_AGAIN_SECONDS = 0.3
AFTER_FAILURE = timedelta(seconds=2)
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
        *,
        gateway: Gateway,
        contacts: Contacts,
        texts: Texts,
        lease: timedelta,
    ) -> None:
        self._channel = channel
        self._context = context
        self._recorder = recorder
        self._gateway = gateway
        self._contacts = contacts
        self._texts = texts
        self._lease = lease
        self._under_way: set[asyncio.Task[None]] = set()
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

        A message goes only while its dossier's facts on Kafka, as far as the broker names them now, have been heard:
        after an outage the sender would otherwise be faster than the consumer, and tell what was overtaken meanwhile.
        """
        self._under_way = {task for task in self._under_way if not task.done()}
        room = AT_ONCE - len(self._under_way)
        if room == 0:
            return False
        pool = self._context.pool
        await look(self._context.clock, pool)
        now = self._context.clock.now()
        if not await any_due(pool, channel=self._channel, now=now):
            return False
        heard = await self._context.consumer.caught_up_by_any(DOSSIERS_TOPIC, DEADLINES)
        leased = await claim(pool, channel=self._channel, now=now, limit=room, lease=self._lease, partitions=heard)
        if not leased:
            return False
        for message in await self._worth_going_on(leased):
            self._under_way.add(asyncio.create_task(self._one(message)))
        return True

    async def _wait(self) -> None:
        """Until there may be something to do: half the places are free, or it is time to look again.

        Places that get free one by one are filled together: each filling asks broker and database anew.
        """
        until = time.monotonic() + LOOK_AGAIN_SECONDS
        under_way = self._under_way
        if len(under_way) <= AT_ONCE // 2:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        while len(under_way) > AT_ONCE // 2 and (left := until - time.monotonic()) > 0:
            _, under_way = await asyncio.wait(under_way, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def _one(self, message: Message) -> None:
        try:
            await self._deliver(message)
        except Exception as error:  # noqa: BLE001 - one message must not hold up the others; its lease runs out
            self._note_trouble(error, message_id=str(message.message_id))

    async def _deliver(self, leased: Message) -> None:
        match leased.next_step:
            case "answer":  # its sender died on the way: as if the provider had kept silent
                await self._record_surely(leased, NoAnswer())
            case "ask":
                await self._record_surely(leased, await self._gateway.ask(leased.message_id), asked=True)
            case _:
                await self._send(leased)

    async def _send(self, leased: Message) -> None:
        try:
            contact = (await self._contacts.look_up([leased]))[leased.message_id]
        except TransientError as error:
            self._note_trouble(error, message_id=str(leased.message_id))
            await release(self._context.pool, leased, pause=AFTER_FAILURE)
            return
        address = contact.address(self._channel)
        begun = await self._begin(leased, contact)
        if begun is not None and address is not None:
            answer = await self._gateway.send(self._outgoing(begun, address, contact))
            await self._record_surely(begun, answer)

    async def _begin(self, leased: Message, contact: Contact) -> Message | None:
        """Mark the message as under way; None if it must not be sent any more, or is no longer ours."""

        def begin(message: Message, unit: Unit[DossierRow], machine: datetime) -> Message | None:
            if message.claims != leased.claims or message.next_step != "send":
                return None
            now = self._context.clock.at_due(message.not_before)
            known = self._as_judged(unit.row(message.dossier_id), now)
            reason = must_not_go(message, known, now) or (None if contact.address(self._channel) else "no_contact")
            if reason is not None:
                record(given_up(in_doubt=message.in_doubt, reason=reason), message, unit, now=now, machine=machine)
                return None
            message.place = message.place or known.place
            message.attempts += 1
            message.next_step = "answer"
            message.leased_until = machine + self._lease
            if message.channel == "sms":
                message.parts = len(encode(self._sms(message, contact)).parts)
            unit.change(MESSAGES, message)
            return message

        return await self._recorder.record(leased.message_id, begin)

    async def _record_surely(self, leased: Message, answer: Answer, *, asked: bool = False) -> None:
        """Record an answer, also when the database is away for a while: what the provider said must not be lost."""
        if isinstance(answer, NoAnswer | NotTaken):
            log.info(
                "message_not_settled",
                channel=self._channel,
                message_id=str(leased.message_id),
                answer=type(answer).__name__,
                asked=asked,
                attempts=leased.attempts,
            )
        retrying = stamina.retry_context(
            on=is_transient, attempts=None, timeout=self._lease.total_seconds(), wait_initial=0.1, wait_max=2.0
        )
        async for attempt in retrying:
            with attempt:
                await self._recorder.record(leased.message_id, self._settling(leased, answer, asked=asked))

    def _settling(self, leased: Message, answer: Answer, *, asked: bool) -> Decide[None]:
        can = self._gateway.can

        def settle(message: Message, unit: Unit[DossierRow], machine: datetime) -> None:
            if message.state != "planned":
                return  # a receipt was faster
            if message.claims != leased.claims and not isinstance(answer, Accepted):
                return  # our lease ran out; whoever has it now knows better, unless we know that it was taken
            message.in_doubt = in_doubt_after(answer, asked=asked, before=message.in_doubt)
            step: Step
            if asked:
                step = after_asking(answer, can, attempts=message.attempts)
            else:
                step = after_sending(
                    answer, can, moment=message.moment, attempts=message.attempts, doubled=message.doubled
                )
            record(step, message, unit, now=self._context.clock.at_due(message.not_before), machine=machine)

        return settle

    async def _worth_going_on(self, leased: Sequence[Message]) -> list[Message]:
        """Close what was overtaken or has expired, before anybody's contact is looked up; answers the others."""
        claims = {message.message_id: message.claims for message in leased}
        going_on = []
        async with self._context.unit(DOSSIERS, {message.dossier_id for message in leased}) as (connection, unit):
            machine = await machine_now(connection)
            for message in (await MESSAGES.lock(connection, claims)).values():
                if message.claims != claims[message.message_id] or message.next_step is None:
                    continue
                now = self._context.clock.at_due(message.not_before)
                reason = must_not_go(message, self._as_judged(unit.row(message.dossier_id), now), now)
                if reason is None:
                    going_on.append(message)
                else:
                    record(given_up(in_doubt=message.in_doubt, reason=reason), message, unit, now=now, machine=machine)
        return going_on

    def _as_judged(self, known: Known, now: datetime) -> Known:
        """The dossier as it stands; on a set centre, whose time jumped on, as it stood then."""
        return as_of(known, now) if self._context.clock.is_set else known

    def _outgoing(self, message: Message, address: str, contact: Contact) -> Outgoing:
        if message.channel == "sms":
            return Outgoing(message.message_id, address, self._sms(message, contact))
        values = words_for(message, contact)
        subject, text = self._texts.email(message.template_version, message.template, values, message.place)
        return Outgoing(message.message_id, address, text, subject)

    def _sms(self, message: Message, contact: Contact) -> str:
        values = words_for(message, contact)
        return self._texts.sms(message.template_version, message.template, values, message.place)

    def _note_trouble(self, error: Exception, **about: str) -> None:
        self._trouble = f"{type(error).__name__}: {error}"
        log.warning("sender_troubled", channel=self._channel, error=self._trouble, **about)


def words_for(message: Message, contact: Contact) -> dict[str, Any]:
    """The values of a message's text: what was planned, and papers in free words as intake has just told them."""
    return message.content | ({"papers": list(contact.papers)} if contact.papers else {})


def must_not_go(message: Message, known: Known, now: datetime) -> str | None:
    """Why a message must not be sent (again) at the centre time `now`; None if it may.

    One that is under way is judged when its sender's fate is known, one that is being asked about only expires.
    """
    if message.next_step == "answer":
        return None
    if now > message.expires_at:
        return "expired"
    overtaken = is_overtaken(
        known, moment=message.moment, dossier_sequence=message.dossier_sequence, due_at=message.due_at
    )
    return "overtaken" if overtaken and message.next_step == "send" else None
