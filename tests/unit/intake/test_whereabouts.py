"""Where papers and results are, act by act; that it follows from the events is held in test_any_way."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake.cases import Setting
from services.intake.deciding import decide
from services.intake.domain.acts import State
from services.intake.domain.whereabouts import Whereabouts, why_not_handed_over
from services.intake.requests import read_line
from services.intake.tables import DossierRow
from shared.catalogue import load_centre
from shared.contracts.envelope import Actor
from shared.kernel.ids import uuid7

CENTRE = load_centre(Path(__file__).resolve().parents[3] / "config" / "binh-phuoc")
START = datetime(2017, 5, 3, 1, 0, tzinfo=UTC)
OFFICER = Actor(kind="person", id="officer", role="officer", department="STP")
LEADER = Actor(kind="person", id="leader", role="leader")
BATCH = {"batch": "1", "given_by": "a", "taken_by": "b"}
FILE = {"title": "bản đồ", "media_type": "application/pdf", "size": 5, "sha256": "0" * 64}

Step = tuple[str, dict[str, Any]]
TAKEN: Step = ("take_over", {})
HANDED: Step = ("hand_over", BATCH)
ASKED: Step = ("ask_supplement", {"papers": ["deed"]})
BROUGHT: Step = ("supplement_received", {"documents": [{"title": "deed"}]})
SENT_IN: Step = ("supplement_received", {"documents": [FILE]})
SETTLED: Step = ("settle", {"outcome": "approved"})
ELECTRONIC: Step = ("settle", {"outcome": "approved", "electronic_result": True})
ARRIVED: Step = ("result_arrived", {})
REOPENED: Step = ("reopen", {"reason": "a page was missing"})
RETURNED: Step = ("return_result", {"way": "counter"})


def lived(*steps: Step, counter: int = 41, channel: str = "counter") -> DossierRow:
    """A dossier of STP after its receipt at a counter and these acts, a minute apart; the receipt is minute 0."""
    row = DossierRow(key=uuid7(START))
    clerk = Actor(kind="person", id="clerk", role="clerk", counter=counter)
    receipt: Step = ("submit", {"procedure": "2.000908", "channel": channel, "receive": {}})
    for minute, (act, data) in enumerate((receipt, *steps)):
        officer = act in ("take_over", "settle", "stop") or (act == "ask_supplement" and row.state != "submitted")
        who = LEADER if act == "reopen" else OFFICER if officer else clerk
        line = read_line({"key": "k", "act": act, "dossier": {"id": str(row.key)}, "data": data})
        setting = Setting(CENTRE, START + timedelta(minutes=minute), None, set())
        decide(line, who, None if act == "submit" else row, lambda: row, setting)
    return row


def minute(instant: datetime | None) -> int | None:
    """How many minutes after the receipt."""
    return None if instant is None else (instant - START) // timedelta(minutes=1)


@pytest.mark.parametrize(
    ("steps", "waits_since"),
    [
        ((), 0),
        ((HANDED,), None),
        ((TAKEN,), 0),  # on the screen alone: the papers are still at the general counter
        ((TAKEN, HANDED), None),
        ((TAKEN, ASKED), 0),
        ((TAKEN, ASKED, BROUGHT), 0),  # one pile, since its first paper
        ((HANDED, TAKEN, ASKED, BROUGHT), 4),  # what came later has to go, too
        ((HANDED, TAKEN, ASKED, SENT_IN), None),  # a file is nothing to carry
        ((HANDED, TAKEN, ASKED, ("supplement_received", {})), 4),  # came as the dossier came
        ((HANDED, TAKEN, ASKED, BROUGHT, HANDED), None),
        ((SETTLED,), None),  # who decided has the papers
        ((SETTLED, REOPENED), None),
        ((("stop", {"reason": "moved away"}),), None),
        ((("withdraw", {}),), None),
    ],
)
def test_papers_wait_from_receipt_to_hand_over(steps: tuple[Step, ...], waits_since: int | None) -> None:
    """At the general counter, with the minute since when."""
    row = lived(*steps)
    assert minute(row.papers_since) == waits_since
    assert row.papers_counter == (None if waits_since is None else 41)


def test_an_officer_who_takes_over_at_its_own_counter_has_the_papers() -> None:
    """Counter 2 is STP's; counter 5 is another department's, from which they must still be carried."""
    assert lived(TAKEN, counter=2).papers_since is None
    assert lived(TAKEN, counter=5).papers_counter == 5
    assert lived(TAKEN, ASKED, BROUGHT, counter=2).papers_counter == 2


def test_papers_come_by_post_and_not_online() -> None:
    """But an original that is brought after an online receipt lies at the counter like any other."""
    assert minute(lived(channel="post").papers_since) == 0
    assert lived(channel="online").papers_since is None
    assert lived(TAKEN, ASKED, ("supplement_received", {}), channel="online").papers_since is None
    assert minute(lived(TAKEN, ASKED, BROUGHT, channel="online").papers_since) == 3


@pytest.mark.parametrize(
    ("steps", "settled", "result"),
    [
        ((SETTLED,), 1, None),
        ((SETTLED, ARRIVED), 1, 2),
        ((SETTLED, ARRIVED, ARRIVED), 1, 2),
        ((ELECTRONIC,), 1, 1),
        ((SETTLED, RETURNED), 1, 2),
        ((ARRIVED, SETTLED), 2, 1),  # the settlement was recorded after the result had come
        ((SETTLED, ARRIVED, REOPENED), None, None),
        ((SETTLED, ARRIVED, REOPENED, SETTLED), 4, None),  # the new result has not come
        ((ELECTRONIC, REOPENED, SETTLED), 3, None),
    ],
)
def test_a_result_is_here_since_it_came(steps: tuple[Step, ...], settled: int | None, result: int | None) -> None:
    """Of the settlement that stands; in minutes after the receipt."""
    row = lived(*steps)
    assert (minute(row.settled_at), minute(row.result_at)) == (settled, result)


WAITING = Whereabouts(papers_since=START, papers_counter=41)


@pytest.mark.parametrize(
    ("now", "state", "department", "received", "reason"),
    [
        (WAITING, "received", "STP", True, None),
        (WAITING, "supplement_required", "STP", True, None),
        (Whereabouts(papers_since=START), "processing", "STP", True, None),  # nobody recorded at which counter
        (WAITING, "received", "SYT", True, "it is SYT's to resolve, not STP's"),
        (Whereabouts(), "submitted", "STP", False, "it is not received yet"),
        (Whereabouts(), "withdrawn", "STP", True, "it is withdrawn: nothing of it is handed over any more"),
        (
            Whereabouts(papers_sequence=3),
            "processing",
            "STP",
            True,
            "the department has its papers already; nothing came since",
        ),
        (Whereabouts(), "received", "STP", True, "it has no papers at a counter"),
        (
            Whereabouts(papers_since=START, papers_counter=2),
            "received",
            "STP",
            True,
            "its papers lie at counter 2, whose clerk hands them over",
        ),
    ],
)
def test_why_papers_cannot_go(
    now: Whereabouts, state: State, department: str, received: bool, reason: str | None
) -> None:
    """A batch of counter 41 for STP says of each dossier what keeps it."""
    told = why_not_handed_over(
        now, state=state, received=received, department=department, batch_for="STP", at_counter=41
    )
    assert told == reason
