"""Decisions of the sender about a locked message: whether and what to send, and what follows from the answer."""

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
    """The decisions of the sender of one channel. `lease` is how long an attempt may take.

    The methods with a unit are changes for GroupCommit, which commits them: `message` is locked together with its
    dossier's row, and `machine` is machine time. `leased` is the message as this sender leased it; if another sender
    has leased it since, `message` does not change (`settle` states the exception).
    """

    clock: Clock
    texts: Texts
    lease: timedelta
    capabilities: Capabilities

    def reason_not_to_send(self, message: Message, plan: AlertPlan) -> str | None:
        """Return why a message must not be sent (again) now, under its dossier's `plan`; None if it may be sent."""
        return send_policy.reason_not_to_send(message, self._plan_for(plan, message), self._now(message))

    def may_query(self, leased: Message, message: Message, unit: Unit[DossierRow], machine: datetime) -> bool:
        """Return whether to query the provider about a message; close the message if it has expired.

        False if it was closed, or if another sender has leased it.
        """
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
        """Record an attempt, and return what to transmit to the provider after the commit.

        None if nothing is to be transmitted: the message must not be sent any more or has no `address` on the channel,
        and is closed; `contact` is None because intake did not answer, and the message is postponed; or another sender
        has leased the message.
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
        """Close the message or schedule its next step, as the provider's answer demands.

        The answer is to an attempt or (`queried`) to a status query. Nothing changes if the message is already closed.
        If another sender has leased the message since, only an acceptance counts.
        """
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
        """Close the message if it must not be sent any more, and publish the outcome; return whether it was closed.

        The outcome is dropped, or unknown after an attempt that is in doubt.
        """
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
        """Return the centre time at which decisions about a message are made.

        It is the present; with a simulated clock, which jumps, the instant from which the message may be sent.
        """
        return self.clock.at_due(message.not_before)

    def _plan_for(self, plan: AlertPlan, message: Message) -> AlertPlan:
        """Return `plan`; with a simulated clock, `plan` as it was at the instant from which the message may be sent."""
        return plan.as_of(self._now(message)) if self.clock.is_simulated else plan

    def _outgoing(self, message: Message, address: str, contact: Contact, place: dict[str, Any] | None) -> Outgoing:
        values = template_values(message, contact)
        version, template = message.template_version, message.template
        if message.channel == "sms":
            return Outgoing(message.message_id, address, self.texts.sms(version, template, values, place))
        subject, text = self.texts.email(version, template, values, place)
        return Outgoing(message.message_id, address, text, subject)


def template_values(message: Message, contact: Contact) -> dict[str, Any]:
    """Return the values for a message's text template: its stored content, and the papers of the contact if any."""
    return message.content | ({"papers": list(contact.papers)} if contact.papers else {})
