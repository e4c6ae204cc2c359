"""A run with lost, duplicate, quarantined or unfinished events or messages is not valid."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.bench.bench import InvalidRunError
from tests.bench.consistency import CentreState, checked_counts

CONSISTENT = CentreState(
    stored={"intake.dossiers.v1": 3},
    on_kafka={"intake.dossiers.v1": 3, "sla.calendars.v1": 0},
    quarantined={"sla": 0},
    messages=[("a", "delivered", None), ("b", "sent", None), ("c", "dropped", "overtaken")],
    in_inbox=["b", "a"],
)


def test_consistent_centre_is_counted() -> None:
    """Events are counted by topic and messages by outcome; a delivered message counts as sent."""
    counts = checked_counts(CONSISTENT)
    assert counts.events == {"intake.dossiers.v1": 3, "sla.calendars.v1": 0}
    assert counts.outcomes == Counter({"sent": 2, "dropped (overtaken)": 1})
    assert counts.in_inbox == 2


@pytest.mark.parametrize(
    ("centre", "difference"),
    [
        (
            replace(CONSISTENT, on_kafka={"intake.dossiers.v1": 2}),
            "3 events of intake.dossiers.v1 are stored, 2 are on Kafka",
        ),
        (
            replace(CONSISTENT, on_kafka={"intake.dossiers.v1": 4}),
            "3 events of intake.dossiers.v1 are stored, 4 are on Kafka",
        ),
        (replace(CONSISTENT, quarantined={"sla": 1}), "sla has 1 quarantined records"),
        (replace(CONSISTENT, messages=[*CONSISTENT.messages, ("d", "planned", None)]), "1 messages have no outcome"),
        (replace(CONSISTENT, in_inbox=["a"]), "1 messages were sent but reached no sink"),
        (
            replace(CONSISTENT, in_inbox=["a", "b", "c"]),
            "1 messages reached a sink but are not sent according to notify",
        ),
        (replace(CONSISTENT, in_inbox=["a", "b", "b"]), "1 messages reached a sink more than once"),
    ],
)
def test_inconsistent_centre_makes_the_run_invalid(centre: CentreState, difference: str) -> None:
    """Each difference between the services, Kafka and the inbox invalidates the run and is named."""
    with pytest.raises(InvalidRunError, match=difference):
        checked_counts(centre)
