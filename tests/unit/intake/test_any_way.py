"""A block of acts on locked rows, without a database: what is decided, numbered and told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.act_data import DATA
from services.intake.block import Answer, Block, Trail
from services.intake.cases import Setting
from services.intake.domain.acts import ACTS, allowed_in
from services.intake.domain.codes import Serials
from services.intake.replay import whereabouts
from services.intake.requests import Reference, read_line
from services.intake.tables import DOSSIERS, DossierRow
from shared.catalogue import load_centre
from shared.contracts.envelope import Actor, AnyEnvelope
from shared.kernel.errors import Refusal
from shared.postgres.outbox import Publisher
from shared.postgres.unit_of_work import Unit
from shared.service.idempotency import KeyRow

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
    """One dossier and the acts done to it, each in a block of its own unless given together."""

    def __init__(self) -> None:
        self.rows: dict[Any, DossierRow] = {}
        self.known: dict[str, KeyRow] = {}
        self.now = START
        self.events: list[AnyEnvelope] = []

    @property
    def told(self) -> list[str]:
        """The types of the events, in order."""
        return [event.type for event in self.events]

    def do(self, *acts: str, actor: Actor = CLERK, keys: tuple[str, ...] = ()) -> list[Any]:
        """The outcomes of a block of acts on the one dossier."""
        self.now += timedelta(minutes=1)
        unit: Unit[DossierRow] = Unit(DOSSIERS, self.rows, Publisher("intake", "test", 1, "test"), self.now)
        block = Block(actor, Trail("test"), Setting(CENTRE, self.now, None, set()), unit, self.known, set())
        for place, act in enumerate(acts):
            key = keys[place] if keys else f"{self.now:%H%M}-{place}"
            data = {"department": self.other} if act == "next_step" else NEEDED.get(act, {})
            line = {"key": key, "act": act, "dossier": {"id": ID}, "data": data}
            block.judge(read_line(line), UUID(ID))
        block.write(Serials(dict.fromkeys(block.serials_wanted(), 0)))
        self.events += unit.events
        for row in self.rows.values():  # as sla would tell it
            due_at = (START + timedelta(days=30)).isoformat()
            row.due = {"status": "set", "reflects": row.clock_sequence, "due_at": due_at}
        return block.outcomes()

    @property
    def other(self) -> str:
        """A department that does not have the dossier."""
        row = self.rows.get(UUID(ID))
        return "SYT" if row is None or row.department == "STP" else "STP"


def test_the_table_of_acts_and_the_requests_agree_on_data() -> None:
    """What an act needs and may take is written once for the rules and once as a form; they say the same."""
    for name, act in ACTS.items():
        fields = DATA[name].model_fields
        assert set(act.needs) == {field for field, info in fields.items() if info.is_required()}, name
        assert set(act.needs) | set(act.may) == set(fields), name


def test_one_block_holds_a_whole_way() -> None:
    """Each line meets the state that the line before it left."""
    desk = Desk()
    outcomes = desk.do("submit", "receive", "record_step", "withdraw")
    assert [outcome.content["sequence"] for outcome in outcomes] == [1, 2, 3, 4]
    assert [outcome.content["state"] for outcome in outcomes] == ["submitted", "received", "received", "withdrawn"]
    assert outcomes[0].content["code"] is None
    assert outcomes[1].content["code"] == "H10.02-260302-0001"


def test_a_line_after_a_failed_one_is_not_judged() -> None:
    """424, though by itself it would have been allowed."""
    desk = Desk()
    statuses = [outcome.status for outcome in desk.do("submit", "settle", "receive")]
    assert statuses == [201, 403, 424]
    assert desk.told == ["dossier.submitted"]


def test_a_key_twice_in_a_block_counts_once() -> None:
    """The second gets the first one's answer."""
    desk = Desk()
    first, second = desk.do("submit", "submit", keys=("k", "k"))
    assert first == second
    assert desk.told == ["dossier.submitted"]


@pytest.mark.parametrize(
    ("way", "clock_sequence"),
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
def test_the_clock_is_touched_after_receipt_alone(way: list[str], clock_sequence: int) -> None:
    """So a read waits for what sla will tell, and for nothing else."""
    desk = Desk()
    for act in way:
        assert isinstance(desk.do(act, actor=_who(act, None))[0], Answer)
    assert desk.rows[UUID(ID)].clock_sequence == clock_sequence


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(list(ACTS)), max_size=25), st.sampled_from([2, 41]))
def test_any_way_keeps_the_dossier_whole(acts: list[str], counter: int) -> None:
    """An act takes effect exactly where table and quota allow it; sequences have no gap; a code is never lost; where
    papers and result are follows from the events."""
    desk = Desk()
    code = None
    for act in acts:
        row = desk.rows.get(UUID(ID))
        before = (row.state, row.sequence) if row else (None, 0)
        spent = act == "extend" and row is not None and row.extensions == 1
        who = _who(act, row)
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
            assert row.whereabouts == whereabouts(desk.events, CENTRE)
    last = desk.rows.get(UUID(ID))
    assert len(desk.told) == (last.sequence if last else 0)


def test_what_can_be_read_of_a_broken_line_holds_up_its_dossier() -> None:
    """A wrong member does not hide whose line it is; an unreadable one belongs to nobody."""
    line = read_line({"key": "k", "act": "receive", "dossier": {"id": ID}, "colour": "red"})
    assert line.fault is not None
    assert line.reference == Reference("id", ID)
    assert read_line(["not an object"]).reference is None


def test_a_code_that_is_none_is_pointed_at_where_it_stands() -> None:
    """A line names its dossier under `dossier`."""
    line = read_line({"key": "k", "act": "receive", "dossier": {"code": "17/2017"}})
    assert line.fault is not None
    assert [fault.pointer for fault in line.fault.errors] == ["/dossier/code"]


def _who(act: str, row: DossierRow | None) -> Actor:
    """Who may do it: a clerk where one may, but papers are asked for by an officer once the dossier is received."""
    if "leader" in ACTS[act].roles:
        return LEADER
    received = row is not None and row.state in ("received", "processing")
    if "clerk" in ACTS[act].roles and not (received and act == "ask_supplement"):
        return CLERK
    return OFFICER if row is None else OFFICER.model_copy(update={"department": row.department})
