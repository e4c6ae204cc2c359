"""Acts and reads over HTTP, on a real database."""

from typing import Any

import pytest

from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.intake.deployment import KNOWN, WITH_PAPERS, IntakeClient, fresh_key

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTACT = {"name": "Nguyễn Văn An", "phone": "0912 345 678", "email": "an@example.vn", "id_number": "070012345678"}


async def test_walk_in_is_submitted_and_received_by_one_request(client: IntakeClient) -> None:
    """The response has code and receipt; two events are published."""
    answer = await client.walk_in(applicant=CONTACT)
    assert answer["state"] == "received"
    assert answer["sequence"] == 2
    assert answer["code"].startswith("H10.02-")
    assert answer["forms"] == [{"kind": "01", "number": answer["code"]}]
    found = (await client.read(answer["dossier_id"])).json()
    assert [entry["type"] for entry in found["history"]] == ["dossier.submitted", "dossier.received"]
    assert found["history"][0]["actor"] == {"kind": "person", "id": "clerk", "role": "clerk", "counter": 2}
    assert found["reach"] == ["sms", "email"]
    assert found["applicant"]["name"] == CONTACT["name"]
    assert found["due"] == {"status": "not_yet", "reflects": 0, "up_to_date": False}
    assert found["papers"]["requirements"] == "not entered"


async def test_dossier_passes_through_a_long_life(client: IntakeClient) -> None:
    """Each act is answered with its state and sequence."""
    dossier = (await client.walk_in())["dossier_id"]
    steps: list[tuple[str, str, dict[str, Any], str]] = [
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
    for place, (act, who, data, state) in enumerate(steps, 3):
        response = await client.act(dossier, act, who, data=data)
        assert response.status_code == 200, response.text
        assert (response.json()["state"], response.json()["sequence"]) == (state, place)
    found = (await client.read(dossier)).json()
    assert found["allowed"] == []
    assert found["national_status"] == 10
    assert [entry["sequence"] for entry in found["history"]] == list(range(1, 14))
    assert found["history"][4]["data"]["activity"] == "other"
    assert found["history"][4]["details"] == {"activity": "checked the register", "note": "called Mr An"}
    assert found["papers"]["documents"][0]["title"] == "photo of Mr An"


async def test_act_that_the_state_does_not_allow_is_refused(client: IntakeClient) -> None:
    """The problem has the state and the allowed acts; nothing changes."""
    dossier = (await client.submit()).json()["dossier_id"]
    response = await client.act(dossier, "return_result", data={"way": "post"})
    assert response.status_code == 409
    problem = response.json()
    assert problem["type"] == "urn:motcua:problem:act-not-allowed"
    assert problem["state"] == "submitted"
    assert problem["allowed"][:2] == ["receive", "refuse"]
    assert len((await client.read(dossier)).json()["history"]) == 1


async def test_forms_have_numbers_of_their_own(client: IntakeClient) -> None:
    """Numbers are counted by form, agency and day."""
    numbers = []
    for _ in range(2):
        dossier = (await client.submit()).json()["dossier_id"]
        asked = await client.act(dossier, "ask_supplement", data={"papers": ["deed"]})
        numbers.append(asked.json()["forms"][0]["number"])
    assert {number.split("-")[2] for number in numbers} == {"F02"}
    first, second = (int(number.split("-")[3]) for number in numbers)
    assert second == first + 1
    dossier = (await client.submit()).json()["dossier_id"]
    refused = await client.act(dossier, "refuse", data={"reason": "not this centre's"})
    assert refused.json()["forms"][0]["number"].endswith("-F03-0001")


async def test_applicant_sees_reasons_but_no_internal_notes(client: IntakeClient) -> None:
    """Reasons and requested papers concern the applicant; notes and signatures are internal."""
    dossier = (await client.submit("portal")).json()["dossier_id"]
    slip = {"given_by": "clerk-2", "taken_by": "officer-stp"}
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("receive", "clerk", {"missing_papers_reason": "the police has the original"}),
        ("record_step", "clerk", {"activity": "copied", "note": "call Mr An first"}),
        ("hand_over", "clerk", {"batch": "17", **slip}),
        ("ask_supplement", "officer", {"papers": ["deed"], "reason": "the copy cannot be read"}),
    ]
    for act, who, data in steps:
        assert (await client.act(dossier, act, who, data=data)).status_code == 200, act
    shown = {
        who: [entry.get("details") for entry in (await client.read(dossier, who)).json()["history"]]
        for who in ("portal", "leader")
    }
    reasons = [None, {"missing_papers_reason": "the police has the original"}]
    asked = {"papers": ["deed"], "reason": "the copy cannot be read"}
    assert shown["portal"] == [*reasons, None, None, asked]
    noted = {"activity": "copied", "note": "call Mr An first"}
    assert shown["leader"] == [*reasons, noted, slip, asked]


async def test_receipt_checks_the_papers(client: IntakeClient) -> None:
    """Without a mandatory paper, a receipt needs a reason or form 02, and is incomplete."""
    documents = [{"requirement": "form", "title": "the form"}]
    short = await client.submit(data={"procedure": WITH_PAPERS, "documents": documents, "receive": {}})
    assert (short.status_code, short.json()["missing"]) == (409, ["identity"])

    reasoned = await client.walk_in(
        procedure=WITH_PAPERS, documents=documents, receive={"missing_papers_reason": "the police has the original"}
    )
    found = (await client.read(reasoned["dossier_id"])).json()
    assert found["incomplete"] is True
    assert found["history"][1]["details"] == {"missing_papers_reason": "the police has the original"}

    dossier = (await client.submit(data={"procedure": WITH_PAPERS, "documents": documents})).json()["dossier_id"]
    await client.act(dossier, "ask_supplement", data={"papers": ["identity"]})
    await client.act(dossier, "supplement_received")
    assert (await client.act(dossier, "receive")).json()["state"] == "received"


async def test_unknown_procedure_is_received_with_a_named_department(client: IntakeClient) -> None:
    """The catalogue has no department for it."""
    dossier = (await client.submit(data={"procedure": "9.999999"})).json()["dossier_id"]
    assert (await client.act(dossier, "receive")).status_code == 422
    received = await client.act(dossier, "receive", data={"department": "SYT"})
    assert received.json()["code"].startswith("H10.")
    assert (await client.read(dossier, "officer-syt")).json()["department"] == "SYT"


async def test_dossier_is_found_by_code_and_foreign_code(client: IntakeClient) -> None:
    """Own codes may have either order of units; only staff may search."""
    answer = await client.walk_in(foreign_codes=[{"system": "portal", "code": "000.00.18.H10-170428-0001"}])
    agency, rest = answer["code"].split("-", 1)
    for code in (answer["code"], f"000.00.{agency.split('.')[1]}.H10-{rest}", "000.00.18.H10-170428-0001"):
        found = await client.http.get(
            f"{client.base}/dossiers", params={"code": code}, headers=client.headers("auditor")
        )
        assert found.json()["dossier_id"] == answer["dossier_id"], code
    unknown = await client.http.get(
        f"{client.base}/dossiers", params={"code": "H10.02-170428-9999"}, headers=client.headers("clerk")
    )
    assert unknown.status_code == 404
    by_applicant = await client.http.get(
        f"{client.base}/dossiers", params={"code": answer["code"]}, headers=client.headers("portal")
    )
    assert by_applicant.status_code == 403


async def test_foreign_code_of_another_dossier_is_refused(client: IntakeClient) -> None:
    """The status is 409."""
    codes = [{"system": "portal", "code": "A-1"}]
    first = await client.submit(data={"procedure": KNOWN, "foreign_codes": codes})
    second = await client.submit(data={"procedure": KNOWN, "foreign_codes": codes})
    assert (first.status_code, second.status_code) == (201, 409)


async def test_known_key_gets_its_first_answer(client: IntakeClient) -> None:
    """It does so even if the act would be refused now; the key with another request is refused."""
    key = fresh_key()
    dossier = (await client.walk_in())["dossier_id"]
    first = await client.act(dossier, "take_over", "officer", key)
    await client.act(dossier, "stop", "officer", data={"reason": "moved away"})
    again = await client.act(dossier, "take_over", "officer", key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    other = await client.act(dossier, "settle", "officer", key, data={"outcome": "approved"})
    assert (other.status_code, other.json()["type"]) == (422, "urn:motcua:problem:key-reused")
    stranger = await client.act(dossier, "take_over", "officer-syt", key)
    assert stranger.status_code == 403


async def test_officer_and_applicant_reach_only_their_own_dossiers(client: IntakeClient) -> None:
    """Other dossiers do not exist for them."""
    dossier = (await client.submit("portal")).json()["dossier_id"]
    assert (await client.read(dossier, "portal")).status_code == 200
    assert (await client.read(dossier, "portal-2")).status_code == 404
    assert (await client.act(dossier, "withdraw", "portal-2")).status_code == 404
    await client.act(dossier, "receive")
    assert (await client.read(dossier, "officer")).status_code == 200
    assert (await client.read(dossier, "officer-syt")).status_code == 404
    assert (await client.act(dossier, "take_over", "officer-syt")).status_code == 403
    assert (await client.act(dossier, "settle", "auditor", data={"outcome": "approved"})).status_code == 403
    assert (await client.act(dossier, "record_step", "importer", data={"activity": "x"})).status_code == 403


async def test_personal_data_is_hidden_from_ops_and_services(client: IntakeClient) -> None:
    """They read the dossier without it; a service may look a contact up."""
    dossier = (await client.walk_in(applicant=CONTACT, documents=[{"title": "deed of Mr An"}]))["dossier_id"]
    for who in ("ops", "notify"):
        text = (await client.read(dossier, who)).text
        assert "An" not in text
        assert "0912" not in text
    assert (await client.look_up({"dossier_id": dossier, "message_id": dossier}, who="clerk")).status_code == 403
    found = await client.look_up({"dossier_id": dossier, "message_id": dossier})
    contact = {"name": CONTACT["name"], "phone": CONTACT["phone"], "email": CONTACT["email"], "papers": []}
    assert found.json() == {"found": [{"dossier_id": dossier, "message_id": dossier, "contact": contact}]}


async def test_papers_in_free_text_are_returned_with_the_contact(client: IntakeClient) -> None:
    """Requirements are not entered, so requested papers are free text and stay in intake."""
    dossier = (await client.walk_in(applicant=CONTACT))["dossier_id"]
    asked = await client.act(dossier, "ask_supplement", "officer", data={"papers": ["Giấy khai sinh của bà Bình"]})
    assert "Bình" not in (await client.read(dossier, "ops")).text
    history = (await client.read(dossier)).json()["history"]
    assert history[-1]["details"] == {"papers": ["Giấy khai sinh của bà Bình"]}
    wanted = [{"dossier_id": dossier, "dossier_sequence": asked.json()["sequence"]}, {"dossier_id": dossier}]
    found = (await client.look_up(*wanted)).json()["found"]
    assert [one["contact"]["papers"] for one in found] == [["Giấy khai sinh của bà Bình"], []]


async def test_clerk_naming_another_counter_is_refused(client: IntakeClient) -> None:
    """The counter of an act is the key's."""
    refused = await client.submit(data={"procedure": KNOWN, "counter": 7})
    assert refused.status_code == 403
    assert (await client.read((await client.walk_in())["dossier_id"])).json()["counter"] == 2


async def test_contact_correction_changes_only_named_members(client: IntakeClient) -> None:
    """A new phone number removes neither name nor e-mail; null removes a member."""
    dossier = (await client.walk_in(applicant=CONTACT))["dossier_id"]
    assert (await client.act(dossier, "correct_contact", data={"applicant": {"phone": "0987 654 321"}})).is_success
    found = (await client.read(dossier)).json()
    assert found["applicant"] == CONTACT | {"phone": "0987 654 321", "address": None}
    assert found["reach"] == ["sms", "email"]
    assert (await client.act(dossier, "correct_contact", data={"applicant": {"email": None}})).is_success
    found = (await client.read(dossier)).json()
    assert found["applicant"] == CONTACT | {"phone": "0987 654 321", "email": None, "address": None}
    assert found["reach"] == ["sms"]


async def test_contact_corrections_of_one_batch_accumulate(client: IntakeClient) -> None:
    """Each line of a block, the submission included, corrects the result of the previous one."""
    dossier = str(uuid7(machine_now()))
    lines = [
        {"key": fresh_key(), "act": act, "dossier": {"id": dossier}, "data": data}
        for act, data in [
            ("submit", {"procedure": KNOWN, "applicant": CONTACT}),
            ("correct_contact", {"applicant": {"phone": "0987 654 321"}}),
            ("correct_contact", {"applicant": {"name": "Nguyễn Văn Ân"}}),
        ]
    ]
    assert [answer["status"] for answer in await client.batch(lines)] == [201, 200, 200]
    found = (await client.read(dossier)).json()["applicant"]
    assert found == CONTACT | {"phone": "0987 654 321", "name": "Nguyễn Văn Ân", "address": None}


async def test_contact_correction_without_members_is_refused(client: IntakeClient) -> None:
    """The status is 422, and no event is published."""
    dossier = (await client.walk_in())["dossier_id"]
    response = await client.act(dossier, "correct_contact", data={"applicant": {}})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/data/applicant")
