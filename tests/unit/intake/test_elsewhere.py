"""When a dossier counts as received at another counter than the rule's."""

from datetime import UTC, datetime

import pytest

from services.intake.elsewhere import received_elsewhere
from services.intake.tables import DossierRow
from shared.contracts.dossiers import Channel
from shared.kernel.ids import uuid7

NOW = datetime(2017, 11, 20, 2, 0, tzinfo=UTC)


def received(channel: Channel, counter: int | None) -> DossierRow:
    """A dossier whose rule names counters 2 and 3."""
    row = DossierRow(key=uuid7(NOW))
    row.state, row.received_at, row.channel, row.counter = "received", NOW, channel, counter
    row.assignment = {"receiving_department": "STP", "counters": [2, 3]}
    return row


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
def test_only_what_came_over_a_counter_can_come_over_the_wrong_one(
    channel: Channel, counter: int | None, elsewhere: bool
) -> None:
    """What came online or by post is taken in by a clerk of some counter, and nobody was sent to the wrong place."""
    told = received_elsewhere(received(channel, counter))
    assert (told is not None) is elsewhere
    if told is not None:
        assert (told.counter, told.receiving_place) == (7, "STP")
