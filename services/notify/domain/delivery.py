"""Delivery decisions: what follows from a provider's answer, or from none. Pure functions without clock and network.

After a time-out the outcome is *unknown*, not failed: the message may have been sent. The decision then depends on what
the provider offers, and on whether a missing message would harm the applicant more than a duplicate.
"""

from dataclasses import dataclass
from datetime import timedelta

RESENT_WHEN_UNKNOWN = frozenset({"supplement_required", "payment_required", "result_ready"})
"""Moments whose message is sent a second time: without it the applicant would lose time or rights."""

_FIRST_PAUSE = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider offers to find out or prevent that a message is sent twice.

    `idempotent`: a repeated idempotency key sends nothing twice.
    `status_query`: the provider answers whether it has a message. A "no" is final only `settled_after` after the
    attempt, because until then the request may still be under way.
    `receipt_window`: if the provider offers neither, how long to wait for a delivery receipt before an important
    message is sent a second time.
    """

    idempotent: bool = False
    status_query: bool = False
    settled_after: timedelta = timedelta(minutes=1)
    receipt_window: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider accepted the message; `reference` is its identifier there, if it gives one."""

    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider will never accept the message; `reason` is a slug."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """The provider certainly did not accept the message this time (no connection, rate limit); send it again.

    Sending again cannot cause a duplicate. As the answer to a status query: the provider has no such message.
    """


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The provider did not answer, or its answer proves nothing: the message may have been sent or not.

    An example is a server error after the message was transmitted.
    """


Answer = Accepted | Rejected | NotAccepted | NoAnswer


@dataclass(frozen=True, slots=True)
class Sent:
    """Decision: close the message as sent, because the provider accepted it under `reference`."""

    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Decision: close the message as failed, because the provider rejected it; `reason` is a slug."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Decision: close the message with unknown outcome, which officers see: it may have been sent or not.

    A delivery receipt that arrives later still changes the outcome.
    """


@dataclass(frozen=True, slots=True)
class Dropped:
    """Decision: close the message as deliberately not sent; `reason` is a slug."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resend:
    """Decision: send the message again after `pause`.

    `possibly_doubled`: the applicant may get the message twice; the event that it was sent then states this.
    """

    pause: timedelta
    possibly_doubled: bool = False


@dataclass(frozen=True, slots=True)
class QueryStatus:
    """Decision: after `pause`, query the provider whether it has the message."""

    pause: timedelta


Decision = Sent | Failed | Unknown | Dropped | Resend | QueryStatus


def pause_before(attempt: int) -> timedelta:
    """Return the pause before attempt number `attempt`: 2 s before attempt 2, doubled each time up to ten minutes."""
    doublings = min(max(attempt - 2, 0), 10)
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


def after_send(
    answer: Answer, capabilities: Capabilities, *, moment: str, attempts: int, possibly_doubled: bool
) -> Decision:
    """Decide what to do with a message after an attempt to send it.

    `attempts` includes this attempt. `possibly_doubled` is true if the message was already repeated after an attempt
    without a definite outcome; this happens only once.
    """
    match answer:
        case NoAnswer() if capabilities.idempotent:
            return Resend(pause_before(attempts + 1), possibly_doubled)
        case NoAnswer() if capabilities.status_query:
            return QueryStatus(capabilities.settled_after)
        case NoAnswer():
            repeat = moment in RESENT_WHEN_UNKNOWN and not possibly_doubled
            return Resend(capabilities.receipt_window, possibly_doubled=True) if repeat else Unknown()
        case _:
            return _after_definite_answer(answer, attempts=attempts, possibly_doubled=possibly_doubled)


def after_query(answer: Answer, capabilities: Capabilities, *, attempts: int) -> Decision:
    """Decide what to do with a message after the provider answered, or did not answer, a query about its status."""
    match answer:
        case NoAnswer():
            return QueryStatus(capabilities.settled_after)
        case _:
            return _after_definite_answer(answer, attempts=attempts, possibly_doubled=False)


def in_doubt_after(answer: Answer, *, queried: bool, before: bool) -> bool:
    """Return whether an attempt may have sent the message without proof, as known after this answer.

    The answer is to an attempt or (`queried`) to a status query. `before` is what this function returned for the
    message's previous answer, False for the first.
    """
    if isinstance(answer, NoAnswer):
        return before or not queried
    return before and not queried


def after_abandonment(*, in_doubt: bool, reason: str) -> Unknown | Dropped:
    """Return the decision to close a message that must not be sent any more: overtaken, expired or without contact.

    It is Dropped, which states that the message was not sent; but Unknown if an earlier attempt is `in_doubt`.
    """
    return Unknown() if in_doubt else Dropped(reason)


def _after_definite_answer(answer: Answer, *, attempts: int, possibly_doubled: bool) -> Decision:
    match answer:
        case Accepted(reference):
            return Sent(reference)
        case Rejected() if possibly_doubled:
            return Unknown()  # the repetition was rejected; the first attempt may have been delivered
        case Rejected(reason):
            return Failed(reason)
        case _:
            return Resend(pause_before(attempts + 1), possibly_doubled)
