"""Delivery decisions: what follows from an answer, or from none."""

from datetime import timedelta

import pytest

from services.notify.domain.delivery import (
    Accepted,
    Answer,
    Capabilities,
    Decision,
    Dropped,
    Failed,
    NoAnswer,
    NotAccepted,
    QueryStatus,
    Rejected,
    Resend,
    Sent,
    Unknown,
    after_abandonment,
    after_query,
    after_send,
    in_doubt_after,
    pause_before,
)

NOTHING = Capabilities(receipt_window=timedelta(minutes=15))
IDEMPOTENT = Capabilities(idempotent=True)
QUERYABLE = Capabilities(status_query=True, settled_after=timedelta(minutes=1))
SOON = timedelta(seconds=2)


@pytest.mark.parametrize("capabilities", [NOTHING, IDEMPOTENT, QUERYABLE])
@pytest.mark.parametrize(
    ("answer", "decision"),
    [(Accepted("ref"), Sent("ref")), (Rejected("http_422"), Failed("http_422")), (NotAccepted(), Resend(SOON))],
)
def test_definite_answer_decides_with_every_provider(
    capabilities: Capabilities, answer: Answer, decision: Decision
) -> None:
    """Accepted is sent, rejected is failed, and certainly not accepted is sent again without a doubt."""
    assert after_send(answer, capabilities, moment="received", attempts=1, possibly_doubled=False) == decision


def test_idempotent_provider_without_answer_is_retried_until_it_answers() -> None:
    """With an idempotency key a repetition cannot cause a duplicate, so every moment is repeated without a mark."""
    for attempts in range(1, 30):
        decision = after_send(NoAnswer(), IDEMPOTENT, moment="returned", attempts=attempts, possibly_doubled=False)
        assert decision == Resend(pause_before(attempts + 1), possibly_doubled=False)


def test_provider_with_status_query_without_answer_is_queried() -> None:
    """The query waits until a negative answer is final."""
    decision = after_send(NoAnswer(), QUERYABLE, moment="returned", attempts=1, possibly_doubled=False)
    assert decision == QueryStatus(timedelta(minutes=1))


@pytest.mark.parametrize("moment", ["supplement_required", "payment_required", "result_ready"])
def test_important_moment_without_answer_is_sent_a_second_time(moment: str) -> None:
    """A missing message would harm the applicant, so it is repeated exactly once and marked as a possible duplicate."""
    first = after_send(NoAnswer(), NOTHING, moment=moment, attempts=1, possibly_doubled=False)
    assert first == Resend(timedelta(minutes=15), possibly_doubled=True)
    assert after_send(NoAnswer(), NOTHING, moment=moment, attempts=2, possibly_doubled=True) == Unknown()


@pytest.mark.parametrize("moment", ["received", "refused", "due_date_changed", "returned", "stopped", "withdrawn"])
def test_other_moment_without_answer_is_unknown(moment: str) -> None:
    """Without key and query the outcome cannot be known, and a duplicate would not help the applicant."""
    assert after_send(NoAnswer(), NOTHING, moment=moment, attempts=1, possibly_doubled=False) == Unknown()


def test_rejected_repetition_is_unknown() -> None:
    """The first attempt may have been delivered, so the message is unknown and not failed."""
    decision = after_send(Rejected("smtp_550"), NOTHING, moment="result_ready", attempts=2, possibly_doubled=True)
    assert decision == Unknown()


def test_mark_of_repetition_remains_after_not_accepted() -> None:
    """A repetition that was not accepted is still the repetition."""
    decision = after_send(NotAccepted(), NOTHING, moment="result_ready", attempts=2, possibly_doubled=True)
    assert decision == Resend(pause_before(3), possibly_doubled=True)


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        (Accepted("ref"), Sent("ref")),
        (Rejected("gone"), Failed("gone")),
        (NotAccepted(), Resend(SOON)),
        (NoAnswer(), QueryStatus(timedelta(minutes=1))),
    ],
)
def test_answer_to_status_query_decides(answer: Answer, decision: Decision) -> None:
    """A message that the provider has is sent, one that it lacks is resent; without an answer it is queried again."""
    assert after_query(answer, QUERYABLE, attempts=1) == decision


def test_abandoned_message_in_doubt_is_unknown() -> None:
    """Dropped means "never sent", which is true only for a message that was never in doubt."""
    assert after_abandonment(in_doubt=True, reason="expired") == Unknown()
    assert after_abandonment(in_doubt=False, reason="expired") == Dropped("expired")


def test_pause_doubles_up_to_ten_minutes() -> None:
    """Pauses are 2 s, 4 s, 8 s … and at most ten minutes for any number of attempts."""
    assert [pause_before(n).total_seconds() for n in (2, 3, 4, 10, 11, 5000)] == [2, 4, 8, 512, 600, 600]


@pytest.mark.parametrize(
    ("answer", "queried", "before", "doubt"),
    [
        (NoAnswer(), False, False, True),
        (NoAnswer(), True, True, True),
        (NoAnswer(), True, False, False),
        (NotAccepted(), False, False, False),
        (NotAccepted(), False, True, True),  # a rate limit proves nothing about an earlier attempt
        (NotAccepted(), True, True, False),  # an answer that the provider has no such message does
    ],
)
def test_doubt_follows_from_missing_answer(answer: Answer, queried: bool, before: bool, doubt: bool) -> None:
    """A missing answer raises the doubt, and only a status query about the same message removes it."""
    assert in_doubt_after(answer, queried=queried, before=before) is doubt
