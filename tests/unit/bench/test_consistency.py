"""A run in which anything was lost, doubled, held back or left open is no result."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.bench.bench import NoResultError
from tests.bench.consistency import Seen, judged

GOOD = Seen(
    told={"intake.dossiers.v1": 3},
    on_kafka={"intake.dossiers.v1": 3, "sla.calendars.v1": 0},
    quarantined={"sla": 0},
    messages=[("a", "delivered", None), ("b", "sent", None), ("c", "dropped", "overtaken")],
    in_inbox=["b", "a"],
)


def test_what_agrees_is_counted() -> None:
    """Events by topic, messages by outcome; what was reported as arrived was sent, too."""
    counts = judged(GOOD)
    assert counts.events == {"intake.dossiers.v1": 3, "sla.calendars.v1": 0}
    assert counts.outcomes == Counter({"sent": 2, "dropped (overtaken)": 1})
    assert counts.in_inbox == 2


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (replace(GOOD, on_kafka={"intake.dossiers.v1": 2}), "3 events of intake.dossiers.v1 are kept, Kafka has 2"),
        (replace(GOOD, on_kafka={"intake.dossiers.v1": 4}), "3 events of intake.dossiers.v1 are kept, Kafka has 4"),
        (replace(GOOD, quarantined={"sla": 1}), "sla holds 1 records back"),
        (replace(GOOD, messages=[*GOOD.messages, ("d", "planned", None)]), "1 messages have no outcome"),
        (replace(GOOD, in_inbox=["a"]), "1 messages were sent and reached no sink"),
        (replace(GOOD, in_inbox=["a", "b", "c"]), "1 messages reached the sinks, and notify says otherwise"),
        (replace(GOOD, in_inbox=["a", "b", "b"]), "1 messages reached the sinks more than once"),
    ],
)
def test_what_disagrees_is_no_result(seen: Seen, why: str) -> None:
    """A rate at which events are lost is not a rate."""
    with pytest.raises(NoResultError, match=why):
        judged(seen)
