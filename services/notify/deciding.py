"""What a sender decides on a message: whether it goes, what is handed over, and what the provider's answer leads to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.notify.contacts import Contact
from services.notify.domain.delivery import (
    Accepted,
    Answer,
    Capabilities,
    Step,
    after_asking,
    after_sending,
    given_up,
    in_doubt_after,
)
from services.notify.domain.planning import Known, as_of, is_overtaken
from services.notify.domain.sms import encode
from services.notify.gateways import Outgoing
from services.notify.outcomes import record
from services.notify.store import MESSAGES, DossierRow, Message
from services.notify.texts import Texts
from shared.kernel.clock import Clock
from shared.postgres.unit_of_work import Unit

AFTER_FAILURE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges by the centre's clock; `can` is what the provider offers, `lease` how long a sending may be under way.

    What takes a message, its unit and machine time is for a Recorder: the message is locked with its dossier's row.
    `leased` is the message as this sender leased it: whoever has it now knows better.
    """

    clock: Clock
    texts: Texts
    lease: timedelta
    can: Capabilities

    def must_not_go(self, message: Message, dossier: Known) -> str | None:
        """Why a message must not be sent (again) now; None if it may.

        One that is under way is judged when its sender's fate is known, one that is being asked about only expires.
        """
        if message.next_step == "answer":
            return None
        if self._now(message) > message.expires_at:
            return "expired"
        known = self._as_judged(dossier, message)
        overtaken = is_overtaken(
            known, moment=message.moment, dossier_sequence=message.dossier_sequence, due_at=message.due_at
        )
        return "overtaken" if overtaken and message.next_step == "send" else None

    def may_ask(self, leased: Message, message: Message, unit: Unit[DossierRow], machine: datetime) -> bool:
        """Whether the provider is still to be asked about a message; one that has expired is closed."""
        return _is_held(message, leased) and not self._closed(message, unit, machine)

    def begin(
        self,
        leased: Message,
        contact: Contact | None,
        address: str | None,
        message: Message,
        unit: Unit[DossierRow],
        machine: datetime,
    ) -> Outgoing | None:
        """Mark a message as under way, and give what is to be handed over once that is committed.

        None for one that must not go: it is closed, as one that `contact` gives no `address` for. Without a contact,
        since intake did not answer, it waits.
        """
        if not _is_held(message, leased) or self._closed(message, unit, machine):
            return None
        if contact is None:
            message.leased_until, message.next_at = None, machine + AFTER_FAILURE
            unit.change(MESSAGES, message)
            return None
        if address is None:
            self._give_up(message, "no_contact", unit, machine)
            return None
        message.place = message.place or self._as_judged(unit.row(message.dossier_id), message).place
        message.attempts += 1
        message.next_step = "answer"
        message.leased_until = machine + self.lease
        outgoing = self._outgoing(message, address, contact)
        if message.channel == "sms":
            message.parts = len(encode(outgoing.text).parts)
        unit.change(MESSAGES, message)
        return outgoing

    def settle(
        self,
        leased: Message,
        answer: Answer,
        asked: bool,
        message: Message,
        unit: Unit[DossierRow],
        machine: datetime,
    ) -> None:
        """Record what follows from the provider's answer to a sending, or (`asked`) to a question about it."""
        if message.state != "planned":
            return  # a receipt was faster
        if message.claims != leased.claims and not isinstance(answer, Accepted):
            return  # our lease ran out; whoever has it now knows better, unless we know that it was taken
        message.in_doubt = in_doubt_after(answer, asked=asked, before=message.in_doubt)
        step: Step
        if asked:
            step = after_asking(answer, self.can, attempts=message.attempts)
        else:
            step = after_sending(
                answer, self.can, moment=message.moment, attempts=message.attempts, doubled=message.doubled
            )
        record(step, message, unit, now=self._now(message), machine=machine)

    def _closed(self, message: Message, unit: Unit[DossierRow], machine: datetime) -> bool:
        """Close a message that must not go; whether it was one."""
        reason = self.must_not_go(message, unit.row(message.dossier_id))
        if reason is not None:
            self._give_up(message, reason, unit, machine)
        return reason is not None

    def _give_up(self, message: Message, reason: str, unit: Unit[DossierRow], machine: datetime) -> None:
        step = given_up(in_doubt=message.in_doubt, reason=reason)
        record(step, message, unit, now=self._now(message), machine=machine)

    def _now(self, message: Message) -> datetime:
        """The centre time that a message is judged by: on a set centre, whose time jumps, when it fell due."""
        return self.clock.at_due(message.not_before)

    def _as_judged(self, dossier: Known, message: Message) -> Known:
        """The dossier as it stands; on a set centre, as it stood then."""
        return as_of(dossier, self._now(message)) if self.clock.is_simulated else dossier

    def _outgoing(self, message: Message, address: str, contact: Contact) -> Outgoing:
        values = words_for(message, contact)
        version, template, place = message.template_version, message.template, message.place
        if message.channel == "sms":
            return Outgoing(message.message_id, address, self.texts.sms(version, template, values, place))
        subject, text = self.texts.email(version, template, values, place)
        return Outgoing(message.message_id, address, text, subject)


def words_for(message: Message, contact: Contact) -> dict[str, Any]:
    """The values of a message's text: what was planned, and papers in free words as intake has just told them."""
    return message.content | ({"papers": list(contact.papers)} if contact.papers else {})


def _is_held(message: Message, leased: Message) -> bool:
    """Whether the lease still holds, and nobody else has moved the message on."""
    return message.claims == leased.claims and message.next_step == leased.next_step
