"""What follows from a provider's answer, or from its silence: pure values, no clock, no network.

A time-out is *unknown*, not failed: the message may have gone out. What can be done then depends on what the provider
can do, and on whether the applicant would be harmed more by silence than by hearing twice.
"""

from dataclasses import dataclass
from datetime import timedelta

RESENT_WHEN_UNKNOWN = frozenset({"supplement_required", "payment_required", "result_ready"})
"""Must-act and result moments: sent once more, since an applicant who does not hear of them loses time or rights."""

_FIRST_PAUSE = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider offers.

    `idempotent`: a repeated key sends nothing twice.
    `status_query`: it can be asked about a key, and from `settled_after` on "never heard of it" is to be believed
    (before, the request may still be under way).
    `receipt_window`: how long a report of arrival may take, so how long silence is listened to before a repeat.
    """

    idempotent: bool = False
    status_query: bool = False
    settled_after: timedelta = timedelta(minutes=1)
    receipt_window: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message; `reference` is its own name for it, where it gives one."""

    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will never take it; `reason` is a slug."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Surely not taken this time (no connection, "slow down"): sending again cannot double it."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer, or one that settles nothing (a server error after the body was sent)."""


Answer = Accepted | Refused | NotTaken | NoAnswer


@dataclass(frozen=True, slots=True)
class Sent:
    """Closed: the provider has it."""

    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Closed: the provider does not want it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Closed, and officers see it: nobody can tell whether it went out. A late receipt still makes it delivered."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Closed: never sent, on purpose; `reason` is a slug."""

    reason: str


@dataclass(frozen=True, slots=True)
class Again:
    """Send after `pause`. `doubled`: the applicant may hear twice, and the outcome says so."""

    pause: timedelta
    doubled: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the provider after `pause` whether it took the message."""

    pause: timedelta


Step = Sent | Failed | Unknown | Dropped | Again | Ask


def pause_before(attempt: int) -> timedelta:
    """How long to wait before attempt number `attempt` (the second is 2): 2 s, doubling up to ten minutes."""
    doublings = min(max(attempt - 2, 0), 10)
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


def after_sending(answer: Answer, can: Capabilities, *, moment: str, attempts: int, doubled: bool) -> Step:
    """What follows from the answer to sending; `attempts` counts this one, `doubled` whether it was the one repeat."""
    match answer:
        case NoAnswer() if can.idempotent:
            return Again(pause_before(attempts + 1), doubled)
        case NoAnswer() if can.status_query:
            return Ask(can.settled_after)
        case NoAnswer():
            repeat = moment in RESENT_WHEN_UNKNOWN and not doubled
            return Again(can.receipt_window, doubled=True) if repeat else Unknown()
        case _:
            return _after_plain_answer(answer, attempts=attempts, doubled=doubled)


def after_asking(answer: Answer, can: Capabilities, *, attempts: int) -> Step:
    """What follows from a status query; here `NotTaken` means that the provider knows no such message."""
    match answer:
        case NoAnswer():
            return Ask(can.settled_after)
        case _:
            return _after_plain_answer(answer, attempts=attempts, doubled=False)


def in_doubt_after(answer: Answer, *, asked: bool, before: bool) -> bool:
    """Whether the message may have gone out without our knowing, after sending it or (`asked`) a question about it."""
    if isinstance(answer, NoAnswer):
        return before or not asked
    return before and not asked


def given_up(*, in_doubt: bool, reason: str) -> Unknown | Dropped:
    """What becomes of a message that must not be sent any more (overtaken, expired, no contact).

    `in_doubt`: an earlier attempt may have gone out, so "never sent" would be a guess.
    """
    return Unknown() if in_doubt else Dropped(reason)


def _after_plain_answer(answer: Answer, *, attempts: int, doubled: bool) -> Step:
    match answer:
        case Accepted(reference):
            return Sent(reference)
        case Refused() if doubled:
            return Unknown()  # the repeat was refused, the first one may have arrived
        case Refused(reason):
            return Failed(reason)
        case _:
            return Again(pause_before(attempts + 1), doubled)
