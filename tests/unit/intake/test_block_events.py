"""Events and details of acts, on rows in memory: personal data is never published."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain.codes import Serials
from services.intake.dossiers.act import DecisionContext
from services.intake.dossiers.block import Block, Trace
from services.intake.dossiers.schemas import parse_act
from services.intake.dossiers.store import DOSSIERS, DossierRow
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
    """One dossier and the acts on it, each in its own transaction at `now`; `details` are those of the last act."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.now = NOW
        self.dossier_id: UUID = uuid7(NOW)
        self.rows: dict[Any, DossierRow] = {}
        self.details: dict[str, Any] = {}

    def do(self, act: str, data: dict[str, Any], *, by: Actor = CLERK, key: str | None = None) -> list[AnyEnvelope]:
        """Execute one act; returns its events."""
        unit = Unit(DOSSIERS, self.rows, PUBLISHER, self.now)
        block = Block(by, Trace("request"), DecisionContext(self.centre, self.now), unit, {}, set())
        line = {"key": key or f"{act}-{len(self.rows)}", "act": act, "data": data}
        block.decide(parse_act(line | {"dossier": {"id": str(self.dossier_id)}}), self.dossier_id)
        block.write(Serials(dict.fromkeys(block.serials_needed(), 0)))
        (outcome,) = block.outcomes()
        assert not isinstance(outcome, Exception), outcome
        self.details = {}
        for decided in block.decided:
            for draft in decided.drafts:
                self.details |= draft.details
        return unit.events


@pytest.fixture
def desk(centre: Centre) -> Desk:
    """A desk without a dossier."""
    return Desk(centre)


def test_idempotency_key_is_not_published(desk: Desk) -> None:
    """A key may have a phone number in it; events name an id derived from the key as their cause."""
    events = desk.do("submit", {"procedure": "2.000908", "receive": {}}, key="sms-0912345678")
    assert events
    assert all(b"0912345678" not in event.to_json() for event in events)
    assert len({event.causationid for event in events}) == 1


def test_hand_over_signed_twice_by_one_account_is_refused() -> None:
    """A hand-over has the signatures of two accounts."""
    data = {"batch": "2017-47", "given_by": "clerk-2", "taken_by": "clerk-2"}
    act = parse_act({"key": "k", "act": "hand_over", "dossier": {"id": str(uuid7(NOW))}, "data": data})
    assert isinstance(act.data, Refusal)
    assert status_of(act.data) == 422


def test_act_on_a_slower_clock_takes_the_instant_of_the_previous_act(desk: Desk) -> None:
    """Both times of an act are at or after those of an act that a replica with a faster clock recorded."""
    desk.do("submit", {"procedure": "2.000908"})
    desk.now -= timedelta(milliseconds=40)
    (event,) = desk.do("refuse", {"reason": "not for us"})
    assert event.time == NOW
    assert event.recordedtime == NOW


def test_requirement_in_free_text_is_not_published(desk: Desk) -> None:
    """If the procedure's requirements are not entered, a requirement is free text, as a title is."""
    paper = {"requirement": "Giấy của bà Bình", "title": "Giấy khai sinh"}
    (event,) = desk.do("submit", {"procedure": "2.000908", "documents": [paper]})
    assert "Bình" not in event.to_json().decode()
    assert desk.rows[desk.dossier_id].handed_in == ["Giấy của bà Bình"]


def test_requested_papers_in_free_text_are_not_published(desk: Desk) -> None:
    """They may name a person, as a title may; notify gets them from intake together with the contact."""
    desk.do("submit", {"procedure": "2.000908", "receive": {}})
    desk.do("take_over", {}, by=OFFICER)
    (event,) = desk.do("ask_supplement", {"papers": ["Giấy khai sinh của bà Bình"]}, by=OFFICER)
    assert "Bình" not in event.to_json().decode()


@pytest.mark.parametrize(
    ("data", "published", "details"),
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
def test_step_publishes_only_codes_of_the_centres_list(
    desk: Desk, data: dict[str, str], published: tuple[str, str | None], details: dict[str, str]
) -> None:
    """Free text may name a person, so it stays in intake's details."""
    desk.do("submit", {"procedure": "2.000908", "receive": {}})
    (event,) = desk.do("record_step", data)
    assert isinstance(event.data, DossierStepRecordedV1)
    assert (event.data.activity, event.data.group) == published
    assert desk.details == details | {name: text for name, text in data.items() if name == "note"}


def test_entered_requirement_is_published_by_its_key(desk: Desk) -> None:
    """A document for a requirement of the catalogue has no personal data."""
    (event,) = desk.do("submit", {"procedure": "2.000635", "documents": [{"requirement": "form", "title": "Tờ khai"}]})
    assert isinstance(event.data, DossierSubmittedV1)
    assert [document.requirement for document in event.data.documents] == ["form"]
