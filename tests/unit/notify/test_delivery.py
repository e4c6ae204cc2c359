"""What follows from an answer, or from silence."""

from datetime import timedelta

import pytest

from services.notify.domain.delivery import (
    Accepted,
    Again,
    Answer,
    Ask,
    Capabilities,
    Dropped,
    Failed,
    NoAnswer,
    NotTaken,
    Refused,
    Sent,
    Step,
    Unknown,
    after_asking,
    after_sending,
    given_up,
    in_doubt_after,
    pause_before,
)

NOTHING = Capabilities(receipt_window=timedelta(minutes=15))
KEYED = Capabilities(idempotent=True)
ASKABLE = Capabilities(status_query=True, settled_after=timedelta(minutes=1))
SOON = timedelta(seconds=2)


@pytest.mark.parametrize("can", [NOTHING, KEYED, ASKABLE])
@pytest.mark.parametrize(
    ("answer", "step"),
    [(Accepted("ref"), Sent("ref")), (Refused("http_422"), Failed("http_422")), (NotTaken(), Again(SOON))],
)
def test_a_plain_answer_settles_it_with_every_provider(can: Capabilities, answer: Answer, step: Step) -> None:
    """Taken is sent, refused is failed, surely not taken is sent again without any doubt."""
    assert after_sending(answer, can, moment="received", attempts=1, doubled=False) == step


def test_silence_of_a_provider_that_knows_keys_is_repeated_until_it_answers() -> None:
    """With an idempotency key a repeat cannot double, so every moment is repeated, and nothing is marked."""
    for attempts in range(1, 30):
        step = after_sending(NoAnswer(), KEYED, moment="returned", attempts=attempts, doubled=False)
        assert step == Again(pause_before(attempts + 1), doubled=False)


def test_silence_of_a_provider_that_can_be_asked_is_followed_by_a_question() -> None:
    """Asked only once its "never heard of it" is to be believed."""
    step = after_sending(NoAnswer(), ASKABLE, moment="returned", attempts=1, doubled=False)
    assert step == Ask(timedelta(minutes=1))


@pytest.mark.parametrize("moment", ["supplement_required", "payment_required", "result_ready"])
def test_must_act_and_result_are_sent_once_more_after_the_receipt_window(moment: str) -> None:
    """Silence would harm; the repeat is marked as possibly doubled, and there is only one."""
    first = after_sending(NoAnswer(), NOTHING, moment=moment, attempts=1, doubled=False)
    assert first == Again(timedelta(minutes=15), doubled=True)
    assert after_sending(NoAnswer(), NOTHING, moment=moment, attempts=2, doubled=True) == Unknown()


@pytest.mark.parametrize("moment", ["received", "refused", "due_date_changed", "returned", "stopped", "withdrawn"])
def test_other_moments_stay_unknown(moment: str) -> None:
    """Without key and query nobody can tell, and hearing twice is no help."""
    assert after_sending(NoAnswer(), NOTHING, moment=moment, attempts=1, doubled=False) == Unknown()


def test_a_refused_repeat_says_nothing_of_the_first() -> None:
    """The first may have arrived, so the message is unknown and not failed."""
    step = after_sending(Refused("smtp_550"), NOTHING, moment="result_ready", attempts=2, doubled=True)
    assert step == Unknown()


def test_the_mark_of_a_repeat_survives_a_busy_provider() -> None:
    """A repeat that was not taken is still the repeat."""
    step = after_sending(NotTaken(), NOTHING, moment="result_ready", attempts=2, doubled=True)
    assert step == Again(pause_before(3), doubled=True)


@pytest.mark.parametrize(
    ("answer", "step"),
    [
        (Accepted("ref"), Sent("ref")),
        (Refused("gone"), Failed("gone")),
        (NotTaken(), Again(SOON)),
        (NoAnswer(), Ask(timedelta(minutes=1))),
    ],
)
def test_what_a_question_settles(answer: Answer, step: Step) -> None:
    """Known is sent, not known is sent again, no answer is asked again."""
    assert after_asking(answer, ASKABLE, attempts=1) == step


def test_what_may_have_gone_out_is_never_called_dropped() -> None:
    """A drop says "never sent", which holds only for what was never in doubt."""
    assert given_up(in_doubt=True, reason="expired") == Unknown()
    assert given_up(in_doubt=False, reason="expired") == Dropped("expired")


def test_pauses_double_up_to_ten_minutes() -> None:
    """2 s, 4 s, 8 s … and never more than ten minutes, however many attempts there were."""
    assert [pause_before(n).total_seconds() for n in (2, 3, 4, 10, 11, 5000)] == [2, 4, 8, 512, 600, 600]


@pytest.mark.parametrize(
    ("answer", "asked", "before", "doubt"),
    [
        (NoAnswer(), False, False, True),
        (NoAnswer(), True, True, True),
        (NoAnswer(), True, False, False),
        (NotTaken(), False, False, False),
        (NotTaken(), False, True, True),  # a busy provider says nothing of an earlier attempt
        (NotTaken(), True, True, False),  # "never heard of it" does
    ],
)
def test_when_a_message_is_in_doubt(answer: Answer, asked: bool, before: bool, doubt: bool) -> None:
    """Silence raises the doubt, only a question about that very message settles it."""
    assert in_doubt_after(answer, asked=asked, before=before) is doubt
