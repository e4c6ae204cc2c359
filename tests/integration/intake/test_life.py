"""A dossier's life over HTTP, on a real database."""

from typing import Any

import pytest

from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.intake.office import KNOWN, WITH_PAPERS, Office, fresh_key

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTACT = {"name": "Nguyễn Văn An", "phone": "0912 345 678", "email": "an@example.vn", "id_number": "070012345678"}


async def test_a_walk_in_is_submitted_and_received_by_one_request(office: Office) -> None:
    """One answer with code and receipt, two events."""
    answer = await office.walk_in(applicant=CONTACT)
    assert answer["state"] == "received"
    assert answer["sequence"] == 2
    assert answer["code"].startswith("H10.02-")
    assert answer["forms"] == [{"kind": "01", "number": answer["code"]}]
    found = (await office.read(answer["dossier_id"])).json()
    assert [entry["type"] for entry in found["history"]] == ["dossier.submitted", "dossier.received"]
    assert found["history"][0]["actor"] == {"kind": "person", "id": "clerk", "role": "clerk", "counter": 2}
    assert found["reach"] == ["sms", "email"]
    assert found["applicant"]["name"] == CONTACT["name"]
    assert found["due"] == {"status": "not_yet", "reflects": 0, "up_to_date": False}
    assert found["papers"]["requirements"] == "not entered"


async def test_a_whole_life(office: Office) -> None:
    """Every act of a long way, each answered with state and sequence."""
    dossier = (await office.walk_in())["dossier_id"]
    way: list[tuple[str, str, dict[str, Any], str]] = [
        ("hand_over", "clerk", {"batch": "2026-17", "given_by": "clerk", "taken_by": "officer"}, "received"),
        ("take_over", "officer", {}, "processing"),
        ("record_step", "officer", {"activity": "checked the register", "note": "called Mr An"}, "processing"),
        ("ask_supplement", "officer", {"papers": ["a second photo"]}, "supplement_required"),
        ("supplement_received", "clerk", {"documents": [{"title": "photo of Mr An"}]}, "processing"),
        ("ask_payment", "officer", {"amount_vnd": 150_000}, "payment_required"),
        ("paid", "clerk", {}, "processing"),
        ("correct_contact", "clerk", {"applicant": {"phone": "+84912345678"}}, "processing"),
        ("settle", "officer", {"outcome": "approved"}, "settled"),
        ("result_arrived", "clerk", {}, "settled"),
        ("return_result", "clerk", {"way": "counter"}, "returned"),
    ]
    for place, (act, who, data, state) in enumerate(way, 3):
        response = await office.act(dossier, act, who, data=data)
        assert response.status_code == 200, response.text
        assert (response.json()["state"], response.json()["sequence"]) == (state, place)
    found = (await office.read(dossier)).json()
    assert found["allowed"] == []
    assert found["national_status"] == 10
    assert [entry["sequence"] for entry in found["history"]] == list(range(1, 14))
    assert found["history"][4]["data"]["activity"] == "other"
    assert found["history"][4]["details"] == {"activity": "checked the register", "note": "called Mr An"}
    assert found["papers"]["documents"][0]["title"] == "photo of Mr An"


async def test_a_refused_act_names_the_state_and_what_is_allowed(office: Office) -> None:
    """409, and nothing changes."""
    dossier = (await office.submit()).json()["dossier_id"]
    response = await office.act(dossier, "return_result", data={"way": "post"})
    assert response.status_code == 409
    problem = response.json()
    assert problem["type"] == "urn:motcua:problem:act-not-allowed"
    assert problem["state"] == "submitted"
    assert problem["allowed"][:2] == ["receive", "refuse"]
    assert len((await office.read(dossier)).json()["history"]) == 1


async def test_forms_carry_numbers_of_their_own(office: Office) -> None:
    """Supplement (02), refusal (03) and stop (05), counted by agency and day."""
    numbers = []
    for _ in range(2):
        dossier = (await office.submit()).json()["dossier_id"]
        asked = await office.act(dossier, "ask_supplement", data={"papers": ["deed"]})
        numbers.append(asked.json()["forms"][0]["number"])
    assert {number.split("-")[2] for number in numbers} == {"F02"}
    first, second = (int(number.split("-")[3]) for number in numbers)
    assert second == first + 1
    dossier = (await office.submit()).json()["dossier_id"]
    refused = await office.act(dossier, "refuse", data={"reason": "not this centre's"})
    assert refused.json()["forms"][0]["number"].endswith("-F03-0001")


async def test_an_applicant_sees_reasons_and_none_of_the_staffs_own_notes(office: Office) -> None:
    """Why, and which papers, is told to the applicant; notes and signatures of a control slip are the staff's."""
    dossier = (await office.submit("portal")).json()["dossier_id"]
    slip = {"given_by": "clerk-2", "taken_by": "officer-stp"}
    way: list[tuple[str, str, dict[str, Any]]] = [
        ("receive", "clerk", {"missing_papers_reason": "kept by the police"}),
        ("record_step", "clerk", {"activity": "copied", "note": "insists, call Mr An first"}),
        ("hand_over", "clerk", {"batch": "17", **slip}),
        ("ask_supplement", "officer", {"papers": ["deed"], "reason": "the copy cannot be read"}),
    ]
    for act, who, data in way:
        assert (await office.act(dossier, act, who, data=data)).status_code == 200, act
    shown = {
        who: [entry.get("details") for entry in (await office.read(dossier, who)).json()["history"]]
        for who in ("portal", "leader")
    }
    reasons = [None, {"missing_papers_reason": "kept by the police"}]
    asked = {"papers": ["deed"], "reason": "the copy cannot be read"}
    assert shown["portal"] == [*reasons, None, None, asked]
    noted = {"activity": "copied", "note": "insists, call Mr An first"}
    assert shown["leader"] == [*reasons, noted, slip, asked]


async def test_receipt_judges_the_papers(office: Office) -> None:
    """Without a mandatory paper: refused; with a reason, or after form 02: received incomplete."""
    documents = [{"requirement": "form", "title": "the form"}]
    short = await office.submit(data={"procedure": WITH_PAPERS, "documents": documents, "receive": {}})
    assert (short.status_code, short.json()["missing"]) == (409, ["identity"])

    reasoned = await office.walk_in(
        procedure=WITH_PAPERS, documents=documents, receive={"missing_papers_reason": "kept by the police"}
    )
    found = (await office.read(reasoned["dossier_id"])).json()
    assert found["incomplete"] is True
    assert found["history"][1]["details"] == {"missing_papers_reason": "kept by the police"}

    dossier = (await office.submit(data={"procedure": WITH_PAPERS, "documents": documents})).json()["dossier_id"]
    await office.act(dossier, "ask_supplement", data={"papers": ["identity"]})
    await office.act(dossier, "supplement_received")
    assert (await office.act(dossier, "receive")).json()["state"] == "received"


async def test_an_unknown_procedure_is_submitted_and_received_by_name(office: Office) -> None:
    """Its department is named at receipt."""
    dossier = (await office.submit(data={"procedure": "9.999999"})).json()["dossier_id"]
    assert (await office.act(dossier, "receive")).status_code == 422
    received = await office.act(dossier, "receive", data={"department": "SYT"})
    assert received.json()["code"].startswith("H10.")
    assert (await office.read(dossier, "officer-syt")).json()["department"] == "SYT"


async def test_a_dossier_is_found_by_code_and_by_foreign_code(office: Office) -> None:
    """Own codes in either order of their units; for staff alone."""
    answer = await office.walk_in(foreign_codes=[{"system": "portal", "code": "000.00.18.H10-170428-0001"}])
    agency, rest = answer["code"].split("-", 1)
    for code in (answer["code"], f"000.00.{agency.split('.')[1]}.H10-{rest}", "000.00.18.H10-170428-0001"):
        found = await office.http.get(
            f"{office.base}/dossiers", params={"code": code}, headers=office.headers("auditor")
        )
        assert found.json()["dossier_id"] == answer["dossier_id"], code
    unknown = await office.http.get(
        f"{office.base}/dossiers", params={"code": "H10.02-170428-9999"}, headers=office.headers("clerk")
    )
    assert unknown.status_code == 404
    by_applicant = await office.http.get(
        f"{office.base}/dossiers", params={"code": answer["code"]}, headers=office.headers("portal")
    )
    assert by_applicant.status_code == 403


async def test_a_foreign_code_belongs_to_one_dossier(office: Office) -> None:
    """409 for the second."""
    codes = [{"system": "portal", "code": "A-1"}]
    first = await office.submit(data={"procedure": KNOWN, "foreign_codes": codes})
    second = await office.submit(data={"procedure": KNOWN, "foreign_codes": codes})
    assert (first.status_code, second.status_code) == (201, 409)


async def test_a_known_key_gets_its_first_answer_for_ever(office: Office) -> None:
    """Even when the act would be refused by now; the same key with another body is refused."""
    key = fresh_key()
    dossier = (await office.walk_in())["dossier_id"]
    first = await office.act(dossier, "take_over", "officer", key)
    await office.act(dossier, "stop", "officer", data={"reason": "moved away"})
    again = await office.act(dossier, "take_over", "officer", key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    other = await office.act(dossier, "settle", "officer", key, data={"outcome": "approved"})
    assert (other.status_code, other.json()["type"]) == (422, "urn:motcua:problem:key-reused")
    stranger = await office.act(dossier, "take_over", "officer-syt", key)
    assert stranger.status_code == 403


async def test_departments_and_applicants_see_their_own_alone(office: Office) -> None:
    """Whatever else there is does not exist for them; an act on it is refused."""
    dossier = (await office.submit("portal")).json()["dossier_id"]
    assert (await office.read(dossier, "portal")).status_code == 200
    assert (await office.read(dossier, "portal-2")).status_code == 404
    assert (await office.act(dossier, "withdraw", "portal-2")).status_code == 404
    await office.act(dossier, "receive")
    assert (await office.read(dossier, "officer")).status_code == 200
    assert (await office.read(dossier, "officer-syt")).status_code == 404
    assert (await office.act(dossier, "take_over", "officer-syt")).status_code == 403
    assert (await office.act(dossier, "settle", "auditor", data={"outcome": "approved"})).status_code == 403
    assert (await office.act(dossier, "record_step", "importer", data={"activity": "x"})).status_code == 403


async def test_personal_data_is_shown_to_those_who_need_it(office: Office) -> None:
    """ops and services read the dossier without it; a look-up is for services and is recorded."""
    dossier = (await office.walk_in(applicant=CONTACT, documents=[{"title": "deed of Mr An"}]))["dossier_id"]
    for who in ("ops", "notify"):
        text = (await office.read(dossier, who)).text
        assert "An" not in text
        assert "0912" not in text
    assert (await office.look_up({"dossier_id": dossier, "message_id": dossier}, who="clerk")).status_code == 403
    found = await office.look_up({"dossier_id": dossier, "message_id": dossier})
    contact = {"name": CONTACT["name"], "phone": CONTACT["phone"], "email": CONTACT["email"], "papers": []}
    assert found.json() == {"found": [{"dossier_id": dossier, "message_id": dossier, "contact": contact}]}


async def test_papers_in_free_words_are_told_with_the_contact(office: Office) -> None:
    """Nobody entered the procedure's papers, so what is asked for may name a person: it stays in intake."""
    dossier = (await office.walk_in(applicant=CONTACT))["dossier_id"]
    asked = await office.act(dossier, "ask_supplement", "officer", data={"papers": ["Giấy khai sinh của bà Bình"]})
    assert "Bình" not in (await office.read(dossier, "ops")).text
    history = (await office.read(dossier)).json()["history"]
    assert history[-1]["details"] == {"papers": ["Giấy khai sinh của bà Bình"]}
    wanted = [{"dossier_id": dossier, "dossier_sequence": asked.json()["sequence"]}, {"dossier_id": dossier}]
    found = (await office.look_up(*wanted)).json()["found"]
    assert [one["contact"]["papers"] for one in found] == [["Giấy khai sinh của bà Bình"], []]


async def test_a_clerk_acts_at_the_own_counter(office: Office) -> None:
    """The counter is the key's; another one is refused."""
    refused = await office.submit(data={"procedure": KNOWN, "counter": 7})
    assert refused.status_code == 403
    assert (await office.read((await office.walk_in())["dossier_id"])).json()["counter"] == 2


async def test_a_correction_leaves_what_it_does_not_name(office: Office) -> None:
    """A new phone number must not cost the applicant name, identity number and e-mail; null takes a member away."""
    dossier = (await office.walk_in(applicant=CONTACT))["dossier_id"]
    assert (await office.act(dossier, "correct_contact", data={"applicant": {"phone": "0987 654 321"}})).is_success
    found = (await office.read(dossier)).json()
    assert found["applicant"] == CONTACT | {"phone": "0987 654 321", "address": None}
    assert found["reach"] == ["sms", "email"]
    assert (await office.act(dossier, "correct_contact", data={"applicant": {"email": None}})).is_success
    found = (await office.read(dossier)).json()
    assert found["applicant"] == CONTACT | {"phone": "0987 654 321", "email": None, "address": None}
    assert found["reach"] == ["sms"]


async def test_corrections_in_one_request_add_up(office: Office) -> None:
    """Lines of one block, the submission among them: each corrects what the one before left."""
    dossier = str(uuid7(machine_now()))
    lines = [
        {"key": fresh_key(), "act": act, "dossier": {"id": dossier}, "data": data}
        for act, data in [
            ("submit", {"procedure": KNOWN, "applicant": CONTACT}),
            ("correct_contact", {"applicant": {"phone": "0987 654 321"}}),
            ("correct_contact", {"applicant": {"name": "Nguyễn Văn Ân"}}),
        ]
    ]
    assert [answer["status"] for answer in await office.batch(lines)] == [201, 200, 200]
    found = (await office.read(dossier)).json()["applicant"]
    assert found == CONTACT | {"phone": "0987 654 321", "name": "Nguyễn Văn Ân", "address": None}


async def test_a_correction_of_nothing_is_refused(office: Office) -> None:
    """422, and no event is told."""
    dossier = (await office.walk_in())["dossier_id"]
    response = await office.act(dossier, "correct_contact", data={"applicant": {}})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/data/applicant")
