"""Waiting papers and available results after each act; test_block_sequences compares them with the events."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake.domain.dossier import Dossier
from services.intake.domain.hand_overs import reason_against_hand_over
from services.intake.dossiers.act import DecisionContext
from services.intake.dossiers.block import decide
from services.intake.dossiers.schemas import parse_act
from shared.catalogue import load_centre
from shared.contracts.envelope import Actor
from shared.kernel.ids import uuid7
from shared.kernel.vocabulary import State

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


def dossier_after(*steps: Step, counter: int = 41, channel: str = "counter") -> Dossier:
    """A dossier of STP after its receipt at a counter and these acts, a minute apart; the receipt is minute 0."""
    dossier = Dossier()
    clerk = Actor(kind="person", id="clerk", role="clerk", counter=counter)
    receipt: Step = ("submit", {"procedure": "2.000908", "channel": channel, "receive": {}})
    for minute, (act, data) in enumerate((receipt, *steps)):
        officer = act in ("take_over", "settle", "stop") or (act == "ask_supplement" and dossier.state != "submitted")
        who = LEADER if act == "reopen" else OFFICER if officer else clerk
        parsed = parse_act({"key": "k", "act": act, "dossier": {"id": str(uuid7(START))}, "data": data})
        context = DecisionContext(CENTRE, START + timedelta(minutes=minute))
        decide(parsed, who, None if act == "submit" else dossier, lambda: dossier, context)
    return dossier


def minute(instant: datetime | None) -> int | None:
    """The instant in minutes after the receipt."""
    return None if instant is None else (instant - START) // timedelta(minutes=1)


@pytest.mark.parametrize(
    ("steps", "waits_since"),
    [
        ((), 0),
        ((HANDED,), None),
        ((TAKEN,), 0),  # only in the system: the papers are still at the general counter
        ((TAKEN, HANDED), None),
        ((TAKEN, ASKED), 0),
        ((TAKEN, ASKED, BROUGHT), 0),  # papers join those that already wait
        ((HANDED, TAKEN, ASKED, BROUGHT), 4),  # later papers wait as well
        ((HANDED, TAKEN, ASKED, SENT_IN), None),  # a file need not be carried
        ((HANDED, TAKEN, ASKED, ("supplement_received", {})), 4),  # the dossier's channel decides
        ((HANDED, TAKEN, ASKED, BROUGHT, HANDED), None),
        ((SETTLED,), None),  # the department has the papers
        ((SETTLED, REOPENED), None),
        ((("stop", {"reason": "moved away"}),), None),
        ((("withdraw", {}),), None),
    ],
)
def test_papers_wait_from_receipt_to_hand_over(steps: tuple[Step, ...], waits_since: int | None) -> None:
    """Papers wait at the counter of the receipt from its instant on."""
    dossier = dossier_after(*steps)
    assert minute(dossier.papers_waiting_since) == waits_since
    assert dossier.papers_counter == (None if waits_since is None else 41)


def test_take_over_at_the_departments_own_counter_sends_the_papers() -> None:
    """Counter 2 is STP's. Counter 5 is another department's, so the papers must still be carried from it."""
    assert dossier_after(TAKEN, counter=2).papers_waiting_since is None
    assert dossier_after(TAKEN, counter=5).papers_counter == 5
    assert dossier_after(TAKEN, ASKED, BROUGHT, counter=2).papers_counter == 2


def test_papers_come_by_post_but_not_online() -> None:
    """An original that comes after an online receipt waits at the counter like any other."""
    assert minute(dossier_after(channel="post").papers_waiting_since) == 0
    assert dossier_after(channel="online").papers_waiting_since is None
    assert dossier_after(TAKEN, ASKED, ("supplement_received", {}), channel="online").papers_waiting_since is None
    assert minute(dossier_after(TAKEN, ASKED, BROUGHT, channel="online").papers_waiting_since) == 3


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
        ((SETTLED, ARRIVED, REOPENED, SETTLED), 4, None),  # the new result has not arrived
        ((ELECTRONIC, REOPENED, SETTLED), 3, None),
    ],
)
def test_result_is_available_since_it_arrived(steps: tuple[Step, ...], settled: int | None, result: int | None) -> None:
    """Instants of the settlement in force and of its result, in minutes after the receipt."""
    dossier = dossier_after(*steps)
    assert (minute(dossier.settled_at), minute(dossier.result_at)) == (settled, result)


WAITING: dict[str, Any] = {"papers_waiting_since": START, "papers_counter": 41}


@pytest.mark.parametrize(
    ("papers", "state", "department", "received", "reason"),
    [
        (WAITING, "received", "STP", True, None),
        (WAITING, "supplement_required", "STP", True, None),
        ({"papers_waiting_since": START}, "processing", "STP", True, None),  # their counter is unknown
        (WAITING, "received", "SYT", True, "The competent department is SYT, not STP."),
        ({}, "submitted", "STP", False, "The dossier is not received yet."),
        ({}, "withdrawn", "STP", True, "The dossier is withdrawn, so no papers are handed over."),
        (
            {"papers_sent_sequence": 3},
            "processing",
            "STP",
            True,
            "The department already has the papers; none came since.",
        ),
        ({}, "received", "STP", True, "The dossier has no papers at a counter."),
        (
            {"papers_waiting_since": START, "papers_counter": 2},
            "received",
            "STP",
            True,
            "The papers are at counter 2, whose clerk hands them over.",
        ),
    ],
)
def test_hand_over_states_why_papers_cannot_go(
    papers: dict[str, Any], state: State, department: str, received: bool, reason: str | None
) -> None:
    """A batch of counter 41 for STP takes only papers that wait there for STP."""
    dossier = Dossier(state=state, department=department, received_at=START if received else None, **papers)
    assert reason_against_hand_over(dossier, department="STP", counter=41) == reason
