"""The contact look-up: many at once, each access recorded, one unknown dossier harms no other."""

from typing import Any

from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.intake.office import House, Office, count, in_process

CONTACT = {"name": "Nguyễn Văn An", "phone": "0912 345 678", "email": "an@example.vn"}


async def test_each_access_is_recorded(house: House) -> None:
    """For which message, by whom and what for; asked twice in one request, it is two."""
    async with in_process(house) as (office, context):
        wanted = [await received(office) | {"message_id": fresh_id()} for _ in range(2)]
        answer = await office.look_up(*wanted, wanted[0])
        found = answer.json()["found"]
        assert [one["contact"] for one in found] == [CONTACT | {"papers": []}] * 3
        rows = await context.pool.fetch(
            "select dossier_id::text, message_id::text, purpose, actor from contact_lookups order by id"
        )
        recorded = [(one["dossier_id"], one["message_id"], "message", "notify") for one in (*wanted, wanted[0])]
        assert [tuple(row) for row in rows] == recorded


async def test_an_unknown_dossier_keeps_no_other_from_being_answered(house: House) -> None:
    """It is answered as such, at its place; nothing of it was accessed, so nothing is recorded."""
    async with in_process(house) as (office, context):
        known, unknown = await received(office), {"dossier_id": fresh_id()}
        answer = await office.look_up(unknown, known, unknown)
        assert answer.status_code == 200
        found = [(one["dossier_id"], one["contact"] and one["contact"]["phone"]) for one in answer.json()["found"]]
        nobody = (unknown["dossier_id"], None)
        assert found == [nobody, (known["dossier_id"], CONTACT["phone"]), nobody]
        assert await count(context.pool, "contact_lookups") == 1


async def test_a_look_up_says_what_for_and_is_no_export(house: House) -> None:
    """At least one contact, at most a hundred, and a purpose."""
    async with in_process(house) as (office, context):
        one = await received(office)
        refused = [await office.look_up(), await office.look_up(*[one] * 101), await office.look_up(one, purpose=" ")]
        assert [answer.status_code for answer in refused] == [422] * 3
        assert await count(context.pool, "contact_lookups") == 0
        assert (await office.look_up(*[one] * 100)).status_code == 200


async def test_a_look_up_is_for_services_alone(house: House) -> None:
    """Whoever else is refused, and nothing is recorded since nothing was read."""
    async with in_process(house) as (office, context):
        one = await received(office)
        for who in ("clerk", "officer", "leader", "ops", "auditor", "portal", "importer"):
            assert (await office.look_up(one, who=who)).status_code == 403
        assert await count(context.pool, "contact_lookups") == 0


async def received(office: Office) -> dict[str, Any]:
    return {"dossier_id": (await office.walk_in(applicant=CONTACT))["dossier_id"]}


def fresh_id() -> str:
    return str(uuid7(machine_now()))
