"""Decisions of the sender about a locked message: whether it is sent, what is sent, and what the answer means."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.notify.domain import send_policy
from services.notify.domain.alert_plan import AlertPlan
from services.notify.domain.delivery import (
    Accepted,
    Answer,
    Capabilities,
    Decision,
    after_abandonment,
    after_query,
    after_send,
)
from services.notify.domain.message import Message
from services.notify.domain.sms import encode
from services.notify.sending.contacts import Contact
from services.notify.sending.gateways import Outgoing
from services.notify.sending.outcome_events import publish_outcome, store
from services.notify.tables import DossierRow
from services.notify.texts import Texts
from shared.kernel.clock import Clock
from shared.postgres.unit_of_work import Unit

RETRY_PAUSE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class SendHandlers:
    """The decisions of one channel. `lease` is how long an attempt may take.

    The methods with a unit are changes for GroupCommit: the message is locked with its dossier's row, and `machine` is
    machine time. `leased` is the message as this sender leased it; a later lease by another sender takes precedence.
    """

    clock: Clock
    texts: Texts
    lease: timedelta
    capabilities: Capabilities

    def reason_not_to_send(self, message: Message, plan: AlertPlan) -> str | None:
        """Why a message must not be sent (again) now; None if it may be sent."""
        return send_policy.reason_not_to_send(message, self._plan_for(plan, message), self._now(message))

    def may_query(self, leased: Message, message: Message, unit: Unit[DossierRow], machine: datetime) -> bool:
        """Whether the provider is still to be asked about a message; closes an expired one."""
        return message.is_leased_as(leased) and not self._close_unsendable(message, unit, machine)

    def start_attempt(
        self,
        leased: Message,
        contact: Contact | None,
        address: str | None,
        message: Message,
        unit: Unit[DossierRow],
        machine: datetime,
    ) -> Outgoing | None:
        """Record an attempt; returns what to hand over to the provider once that is committed.

        None if the message must not be sent: it is closed, as is one whose `contact` has no `address` on the channel.
        Without a contact, because intake did not answer, it is postponed.
        """
        if not message.is_leased_as(leased) or self._close_unsendable(message, unit, machine):
            return None
        if contact is None:
            message.postpone(machine + RETRY_PAUSE)
            store(message, unit)
            return None
        if address is None:
            self._abandon(message, "no_contact", unit, machine)
            return None
        place = message.place or self._plan_for(unit.row(message.dossier_id), message).place
        outgoing = self._outgoing(message, address, contact, place)
        parts = len(encode(outgoing.text).parts) if message.channel == "sms" else message.parts
        message.start_attempt(place=place, parts=parts, leased_until=machine + self.lease)
        store(message, unit)
        return outgoing

    def settle(
        self,
        leased: Message,
        answer: Answer,
        queried: bool,
        message: Message,
        unit: Unit[DossierRow],
        machine: datetime,
    ) -> None:
        """Record what follows from the provider's answer to an attempt, or (`queried`) to a status query."""
        if message.is_closed:
            return  # a delivery receipt arrived before the answer
        if message.lease_token != leased.lease_token and not isinstance(answer, Accepted):
            return  # another sender has the lease; only an acceptance is certain in spite of that
        message.record_answer(answer, queried=queried)
        decision: Decision
        if queried:
            decision = after_query(answer, self.capabilities, attempts=message.attempts)
        else:
            decision = after_send(
                answer,
                self.capabilities,
                moment=message.moment,
                attempts=message.attempts,
                possibly_doubled=message.possibly_doubled,
            )
        self._apply(decision, message, unit, machine)

    def _close_unsendable(self, message: Message, unit: Unit[DossierRow], machine: datetime) -> bool:
        """Close a message that must not be sent; returns whether it was closed."""
        reason = self.reason_not_to_send(message, unit.row(message.dossier_id))
        if reason is not None:
            self._abandon(message, reason, unit, machine)
        return reason is not None

    def _abandon(self, message: Message, reason: str, unit: Unit[DossierRow], machine: datetime) -> None:
        self._apply(after_abandonment(in_doubt=message.in_doubt, reason=reason), message, unit, machine)

    def _apply(self, decision: Decision, message: Message, unit: Unit[DossierRow], machine: datetime) -> None:
        message.apply(decision, now=machine)
        store(message, unit)
        if message.is_closed:
            publish_outcome(message, unit, now=self._now(message))

    def _now(self, message: Message) -> datetime:
        """The centre time by which a message is decided; with a simulated clock, which jumps, when it became due."""
        return self.clock.at_due(message.not_before)

    def _plan_for(self, plan: AlertPlan, message: Message) -> AlertPlan:
        """The current alert plan; with a simulated clock, the plan as of the message's time."""
        return plan.as_of(self._now(message)) if self.clock.is_simulated else plan

    def _outgoing(self, message: Message, address: str, contact: Contact, place: dict[str, Any] | None) -> Outgoing:
        values = template_values(message, contact)
        version, template = message.template_version, message.template
        if message.channel == "sms":
            return Outgoing(message.message_id, address, self.texts.sms(version, template, values, place))
        subject, text = self.texts.email(version, template, values, place)
        return Outgoing(message.message_id, address, text, subject)


def template_values(message: Message, contact: Contact) -> dict[str, Any]:
    """The values of a message's text: the stored content, and the free-text papers that came with the contact."""
    return message.content | ({"papers": list(contact.papers)} if contact.papers else {})
