"""A receipt at another counter than routing's rule names."""

from datetime import UTC, datetime

import pytest

from services.intake.domain.dossier import Dossier
from services.intake.dossiers.acts.receive import received_elsewhere
from shared.kernel.vocabulary import Channel

NOW = datetime(2017, 11, 20, 2, 0, tzinfo=UTC)


def received(channel: Channel, counter: int | None) -> Dossier:
    """A received dossier whose rule names counters 2 and 3."""
    dossier = Dossier(state="received", received_at=NOW, channel=channel, counter=counter)
    dossier.assignment = {"receiving_department": "STP", "counters": [2, 3]}
    return dossier


@pytest.mark.parametrize(
    ("channel", "counter", "elsewhere"),
    [
        ("counter", 7, True),
        ("counter", 2, False),
        ("counter", None, False),
        ("online", 7, False),
        ("post", 7, False),
    ],
)
def test_only_a_receipt_at_a_counter_can_be_at_the_wrong_one(
    channel: Channel, counter: int | None, elsewhere: bool
) -> None:
    """An online or postal dossier is received by a clerk of some counter, and no applicant came to it."""
    event = received_elsewhere(received(channel, counter))
    assert (event is not None) is elsewhere
    if event is not None:
        assert (event.counter, event.receiving_place) == (7, "STP")


@pytest.mark.parametrize("missing", ["received_at", "state", "counter", "assignment"])
def test_receipt_without_one_of_its_data_is_not_at_the_wrong_counter(missing: str) -> None:
    """Before receipt and assignment are known, there is nothing to compare."""
    dossier = received("counter", 7)
    setattr(dossier, missing, None)
    assert received_elsewhere(dossier) is None
