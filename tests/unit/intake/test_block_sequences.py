"""Blocks of acts on rows in memory: decisions, numbers and events for any sequence of acts."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.codes import Reference, Serials
from services.intake.domain.dossier import Dossier
from services.intake.dossiers.act import DecisionContext
from services.intake.dossiers.block import Answer, Block, Trace
from services.intake.dossiers.rebuild import rebuild
from services.intake.dossiers.registry import ACTS, allowed_in
from services.intake.dossiers.schemas import parse_act
from services.intake.dossiers.store import DOSSIERS, DossierRow
from shared.catalogue import load_centre
from shared.contracts.envelope import Actor, AnyEnvelope
from shared.kernel.errors import Refusal
from shared.postgres.outbox import Publisher
from shared.postgres.unit_of_work import Unit
from shared.service.idempotency import KeyRow
from shared.service.problems import status_of

CENTRE = load_centre(Path(__file__).resolve().parents[3] / "config" / "binh-phuoc")
START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ID = "019cab00-0000-7000-8000-000000000001"
CLERK = Actor(kind="person", id="clerk", role="clerk", counter=2)
OFFICER = Actor(kind="person", id="officer", role="officer", department="STP")
LEADER = Actor(kind="person", id="leader", role="leader")
NEEDED: dict[str, dict[str, Any]] = {
    "submit": {"procedure": "2.000908"},
    "refuse": {"reason": "not ours"},
    "ask_supplement": {"papers": ["deed"]},
    "ask_payment": {"amount_vnd": 5},
    "settle": {"outcome": "approved"},
    "stop": {"reason": "moved away"},
    "return_result": {"way": "counter"},
    "record_step": {"activity": "copied"},
    "hand_over": {"batch": "1", "given_by": "a", "taken_by": "b"},
    "correct_contact": {"applicant": {"phone": "0912345678"}},
    "extend": {"working_days": 2, "reason": "much to read"},
    "reopen": {"reason": "one page was missing"},
}


class Desk:
    """One dossier and the acts on it; each call of `do` is one block."""

    def __init__(self) -> None:
        self.rows: dict[Any, DossierRow] = {}
        self.known: dict[str, KeyRow] = {}
        self.now = START
        self.events: list[AnyEnvelope] = []

    @property
    def event_types(self) -> list[str]:
        """The types of the events, in order."""
        return [event.type for event in self.events]

    def do(self, *acts: str, actor: Actor = CLERK, keys: tuple[str, ...] = ()) -> list[Any]:
        """Execute a block of acts on the dossier; returns the outcomes."""
        self.now += timedelta(minutes=1)
        unit: Unit[DossierRow] = Unit(DOSSIERS, self.rows, Publisher("intake", "test", 1, "test"), self.now)
        block = Block(actor, Trace("test"), DecisionContext(CENTRE, self.now), unit, self.known, set())
        for place, act in enumerate(acts):
            key = keys[place] if keys else f"{self.now:%H%M}-{place}"
            data = {"department": self.other} if act == "next_step" else NEEDED.get(act, {})
            line = {"key": key, "act": act, "dossier": {"id": ID}, "data": data}
            block.decide(parse_act(line), UUID(ID))
        block.write(Serials(dict.fromkeys(block.serials_needed(), 0)))
        self.events += unit.events
        for row in self.rows.values():  # as sla publishes it
            due_at = (START + timedelta(days=30)).isoformat()
            row.due = {"status": "set", "reflects": row.clock_sequence, "due_at": due_at}
        return block.outcomes()

    @property
    def other(self) -> str:
        """A department that does not have the dossier."""
        row = self.rows.get(UUID(ID))
        return "SYT" if row is None or row.department == "STP" else "STP"


def test_block_decides_each_act_on_the_state_after_the_previous_one() -> None:
    """One block may have a whole life of a dossier."""
    desk = Desk()
    outcomes = desk.do("submit", "receive", "record_step", "withdraw")
    assert [outcome.content["sequence"] for outcome in outcomes] == [1, 2, 3, 4]
    assert [outcome.content["state"] for outcome in outcomes] == ["submitted", "received", "received", "withdrawn"]
    assert outcomes[0].content["code"] is None
    assert outcomes[1].content["code"] == "H10.02-260302-0001"


def test_line_after_a_failed_one_of_the_same_dossier_is_refused() -> None:
    """The status is 424, even if the line alone would be allowed."""
    desk = Desk()
    first, *refused = desk.do("submit", "settle", "receive")
    assert [first.status, *map(status_of, refused)] == [201, 403, 424]
    assert desk.event_types == ["dossier.submitted"]


def test_key_repeated_in_a_block_takes_effect_once() -> None:
    """The second act gets the answer of the first."""
    desk = Desk()
    first, second = desk.do("submit", "submit", keys=("k", "k"))
    assert first == second
    assert desk.event_types == ["dossier.submitted"]


@pytest.mark.parametrize(
    ("acts", "clock_sequence"),
    [
        (["submit"], 0),
        (["submit", "ask_supplement", "supplement_received"], 0),
        (["submit", "withdraw"], 0),
        (["submit", "receive"], 2),
        (["submit", "receive", "record_step"], 2),
        (["submit", "receive", "take_over", "result_arrived"], 2),
        (["submit", "receive", "ask_payment", "record_step"], 3),
        (["submit", "receive", "ask_payment", "paid"], 4),
        (["submit", "receive", "settle", "result_arrived", "return_result"], 3),
        (["submit", "receive", "take_over", "extend"], 4),
        (["submit", "receive", "take_over", "next_step"], 2),
        (["submit", "receive", "settle", "reopen", "record_step"], 4),
    ],
)
def test_clock_sequence_is_the_last_event_after_receipt_that_touches_the_clock(
    acts: list[str], clock_sequence: int
) -> None:
    """A read waits only for the events that make sla publish the due date."""
    desk = Desk()
    for act in acts:
        assert isinstance(desk.do(act, actor=_actor_for(act, None))[0], Answer)
    assert desk.rows[UUID(ID)].clock_sequence == clock_sequence


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(list(ACTS)), max_size=25), st.sampled_from([2, 41]))
def test_any_sequence_of_acts_keeps_the_dossier_consistent(acts: list[str], counter: int) -> None:
    """An act takes effect exactly if its rule and the quota allow it; sequences have no gap, a code stays, and the
    events rebuild the dossier."""
    desk = Desk()
    code = None
    for act in acts:
        row = desk.rows.get(UUID(ID))
        before = (row.state, row.sequence) if row else (None, 0)
        spent = act == "extend" and row is not None and row.extensions == 1
        who = _actor_for(act, row)
        outcome = desk.do(act, actor=who.model_copy(update={"counter": counter}) if who is CLERK else who)[0]
        row = desk.rows.get(UUID(ID))
        if act in allowed_in(before[0]) and not spent:
            assert isinstance(outcome, Answer), outcome
            assert row is not None
            assert row.sequence == before[1] + 1 == outcome.content["sequence"]
            assert outcome.content["state"] == row.state
        else:
            assert isinstance(outcome, Refusal)
            assert ((row.state, row.sequence) if row else (None, 0)) == before
        if row is not None:
            assert code in (None, row.code)
            assert (row.code is None) == (row.received_at is None)
            assert 0 <= row.clock_sequence <= row.sequence
            code = row.code
            _assert_rebuilt(row, desk.events)
    last = desk.rows.get(UUID(ID))
    assert len(desk.event_types) == (last.sequence if last else 0)


def test_invalid_line_still_has_its_dossier() -> None:
    """An unknown member does not hide the dossier, so later lines of it are refused; an unreadable line has none."""
    act = parse_act({"key": "k", "act": "receive", "dossier": {"id": ID}, "colour": "red"})
    assert act.refusal is not None
    assert act.reference == Reference("id", ID)
    assert parse_act(["not an object"]).reference is None


def test_invalid_code_is_refused_with_a_pointer() -> None:
    """A line names its dossier under `dossier`."""
    act = parse_act({"key": "k", "act": "receive", "dossier": {"code": "17/2017"}})
    assert act.refusal is not None
    assert [error.pointer for error in act.refusal.errors] == ["/dossier/code"]


def _assert_rebuilt(row: DossierRow, events: list[AnyEnvelope]) -> None:
    """The events rebuild the row, except for the due date, the assignment and papers in free text."""
    rebuilt = rebuild(events, CENTRE)
    assert rebuilt.broken is None
    published = {field.name for field in fields(Dossier) if field.name not in ("due", "assignment", "requested_papers")}
    by_events = {name: getattr(rebuilt.dossier, name) for name in published}
    assert {name: getattr(row, name) for name in published} == by_events


def _actor_for(act: str, row: DossierRow | None) -> Actor:
    """An actor that may do the act: a clerk if possible; after receipt, an officer asks for papers."""
    if "leader" in ACTS[act].roles:
        return LEADER
    received = row is not None and row.state in ("received", "processing")
    if "clerk" in ACTS[act].roles and not (received and act == "ask_supplement"):
        return CLERK
    return OFFICER if row is None else OFFICER.model_copy(update={"department": row.department})
