"""Delivery decisions: what follows from a provider's answer, or from none. Pure values, no clock, no network.

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
    """What a provider offers.

    `idempotent`: a repeated idempotency key sends nothing twice.
    `status_query`: it answers whether it has a message. A "no" is final only from `settled_after` on, because before
    that the request may still be under way.
    `receipt_window`: how long to wait for a delivery receipt before the message is sent a second time.
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
    """Certainly not accepted this time (no connection, rate limit), so sending again cannot cause a duplicate.

    As the answer to a status query: the provider has no such message.
    """


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer, or one that proves nothing, such as a server error after the message was transmitted."""


Answer = Accepted | Rejected | NotAccepted | NoAnswer


@dataclass(frozen=True, slots=True)
class Sent:
    """Close: the provider has the message."""

    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Close: the provider rejected the message."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Close, visible to officers: the message may have been sent. A late receipt still makes it delivered."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Close: never sent, on purpose; `reason` is a slug."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resend:
    """Send after `pause`. `possibly_doubled`: the applicant may get the message twice; the outcome states it."""

    pause: timedelta
    possibly_doubled: bool = False


@dataclass(frozen=True, slots=True)
class QueryStatus:
    """Ask the provider after `pause` whether it has the message."""

    pause: timedelta


Decision = Sent | Failed | Unknown | Dropped | Resend | QueryStatus


def pause_before(attempt: int) -> timedelta:
    """The pause before attempt number `attempt` (the second is 2): 2 s, doubled each time up to ten minutes."""
    doublings = min(max(attempt - 2, 0), 10)
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


def after_send(
    answer: Answer, capabilities: Capabilities, *, moment: str, attempts: int, possibly_doubled: bool
) -> Decision:
    """The decision after an attempt to send.

    `attempts` includes this one; `possibly_doubled` is true for the one repetition of a message with unknown outcome.
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
    """The decision after a status query."""
    match answer:
        case NoAnswer():
            return QueryStatus(capabilities.settled_after)
        case _:
            return _after_definite_answer(answer, attempts=attempts, possibly_doubled=False)


def in_doubt_after(answer: Answer, *, queried: bool, before: bool) -> bool:
    """Whether the message may have been sent without proof, after an attempt or (`queried`) a status query."""
    if isinstance(answer, NoAnswer):
        return before or not queried
    return before and not queried


def after_abandonment(*, in_doubt: bool, reason: str) -> Unknown | Dropped:
    """The outcome of a message that must not be sent any more (overtaken, expired, no contact).

    If an earlier attempt is `in_doubt`, "never sent" would be a guess.
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
