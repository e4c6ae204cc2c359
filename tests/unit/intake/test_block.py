"""What the acts of one transaction put on the wire and into intake's own tables; rows in memory, no database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.intake.block import Block, Trail
from services.intake.cases import Setting
from services.intake.domain.codes import Serials
from services.intake.requests import read_line
from services.intake.tables import DOSSIERS, DossierRow
from shared.catalogue import load_centre
from shared.contracts.dossiers import DossierStepRecordedV1, DossierSubmittedV1
from shared.contracts.envelope import Actor, AnyEnvelope
from shared.kernel.centre import Centre
from shared.kernel.errors import Refusal
from shared.kernel.ids import uuid7
from shared.postgres.outbox import Publisher
from shared.postgres.unit_of_work import Unit
from shared.service.problems import status_of

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2017, 11, 20, 2, 0, tzinfo=UTC)
CLERK = Actor(kind="person", id="clerk-2", role="clerk", counter=2)
OFFICER = Actor(kind="person", id="officer-stp", role="officer", department="STP")
PUBLISHER = Publisher(service="intake", centre="test", epoch=1, catalogue_version="test")


@pytest.fixture(scope="module")
def centre() -> Centre:
    """The default centre."""
    return load_centre(ROOT / "config" / "binh-phuoc")


class Desk:
    """One dossier and the acts done to it, each in a transaction of its own at `now`; `details` are the last one's."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.now = NOW
        self.dossier_id: UUID = uuid7(NOW)
        self.rows: dict[Any, DossierRow] = {}
        self.details: dict[str, Any] = {}

    def do(self, act: str, data: dict[str, Any], *, by: Actor = CLERK, key: str | None = None) -> list[AnyEnvelope]:
        """Perform one act; the events that it told."""
        unit = Unit(DOSSIERS, self.rows, PUBLISHER, self.now)
        block = Block(by, Trail("request"), Setting(self.centre, self.now, None, set()), unit, {}, set())
        line = {"key": key or f"{act}-{len(self.rows)}", "act": act, "data": data}
        block.judge(read_line(line | {"dossier": {"id": str(self.dossier_id)}}), self.dossier_id)
        block.write(Serials(dict.fromkeys(block.serials_wanted(), 0)))
        (outcome,) = block.outcomes()
        assert not isinstance(outcome, Exception), outcome
        self.details = {}
        for *_, drafts in block.decided:
            for draft in drafts:
                self.details |= draft.details
        return unit.events


@pytest.fixture
def desk(centre: Centre) -> Desk:
    """A desk without a dossier yet."""
    return Desk(centre)


def test_a_clients_key_does_not_travel(desk: Desk) -> None:
    """Nobody can keep a client from making its keys of phone numbers; causes are named by an id made of the key."""
    events = desk.do("submit", {"procedure": "2.000908", "receive": {}}, key="sms-0912345678")
    assert events
    assert all(b"0912345678" not in event.to_json() for event in events)
    assert len({event.causationid for event in events}) == 1


def test_a_hand_over_has_two_signatures() -> None:
    """One account cannot sign for both sides."""
    data = {"batch": "2017-47", "given_by": "clerk-2", "taken_by": "clerk-2"}
    line = read_line({"key": "k", "act": "hand_over", "dossier": {"id": str(uuid7(NOW))}, "data": data})
    assert isinstance(line.data, Refusal)
    assert status_of(line.data) == 422


def test_nothing_is_recorded_before_it_happened(desk: Desk) -> None:
    """An act after one that a replica with a faster clock recorded takes that one's instant, for both its times."""
    desk.do("submit", {"procedure": "2.000908"})
    desk.now -= timedelta(milliseconds=40)
    (event,) = desk.do("refuse", {"reason": "not for us"})
    assert event.time == NOW
    assert event.recordedtime == NOW


def test_a_requirement_that_nobody_entered_does_not_travel(desk: Desk) -> None:
    """Where the procedure's papers are not entered, its name is free text, as the title is."""
    paper = {"requirement": "Giấy của bà Bình", "title": "Giấy khai sinh"}
    (event,) = desk.do("submit", {"procedure": "2.000908", "documents": [paper]})
    assert "Bình" not in event.to_json().decode()
    assert desk.rows[desk.dossier_id].handed_in == ["Giấy của bà Bình"]


def test_papers_that_are_asked_for_in_free_words_do_not_travel(desk: Desk) -> None:
    """They may name a person, like a title; who tells the applicant asks intake for them together with the contact."""
    desk.do("submit", {"procedure": "2.000908", "receive": {}})
    desk.do("take_over", {}, by=OFFICER)
    (event,) = desk.do("ask_supplement", {"papers": ["Giấy khai sinh của bà Bình"]}, by=OFFICER)
    assert "Bình" not in event.to_json().decode()


@pytest.mark.parametrize(
    ("given", "travels", "stays"),
    [
        ({"activity": "Thẩm định hồ sơ", "group": "Phòng chuyên môn"}, ("appraise", "specialist"), {}),
        ({"activity": "appraise", "group": "specialist"}, ("appraise", "specialist"), {}),
        (
            {"activity": "Gọi cho ông An", "group": "Phòng bà Bình"},
            ("other", None),
            {"activity": "Gọi cho ông An", "group": "Phòng bà Bình"},
        ),
        ({"activity": "Gọi cho ông An", "note": "vắng nhà"}, ("other", None), {"activity": "Gọi cho ông An"}),
        ({"activity": "specialist"}, ("other", None), {"activity": "specialist"}),
    ],
)
def test_of_a_step_only_words_of_the_centres_list_travel(
    desk: Desk, given: dict[str, str], travels: tuple[str, str | None], stays: dict[str, str]
) -> None:
    """By their codes; whatever else somebody writes may name a person, so it stays with intake's details."""
    desk.do("submit", {"procedure": "2.000908", "receive": {}})
    (event,) = desk.do("record_step", given)
    assert isinstance(event.data, DossierStepRecordedV1)
    assert (event.data.activity, event.data.group) == travels
    assert desk.details == stays | {name: text for name, text in given.items() if name == "note"}


def test_an_entered_requirement_travels_by_its_key(desk: Desk) -> None:
    """What was handed in against the procedure's list is no personal data."""
    (event,) = desk.do("submit", {"procedure": "2.000635", "documents": [{"requirement": "form", "title": "Tờ khai"}]})
    assert isinstance(event.data, DossierSubmittedV1)
    assert [document.requirement for document in event.data.documents] == ["form"]
