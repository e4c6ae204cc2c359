"""The contact look-up: up to a hundred contacts, each access recorded."""

from typing import Any

from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.intake.deployment import Deployment, IntakeClient, count, in_process

CONTACT = {"name": "Nguyễn Văn An", "phone": "0912 345 678", "email": "an@example.vn"}


async def test_every_access_is_recorded(deployment: Deployment) -> None:
    """A record has message, actor and purpose; a contact requested twice has two records."""
    async with in_process(deployment) as (client, context):
        wanted = [await received(client) | {"message_id": fresh_id()} for _ in range(2)]
        answer = await client.look_up(*wanted, wanted[0])
        found = answer.json()["found"]
        assert [one["contact"] for one in found] == [CONTACT | {"papers": []}] * 3
        rows = await context.pool.fetch(
            "select dossier_id::text, message_id::text, purpose, actor from contact_lookups order by id"
        )
        recorded = [(one["dossier_id"], one["message_id"], "message", "notify") for one in (*wanted, wanted[0])]
        assert [tuple(row) for row in rows] == recorded


async def test_unknown_dossier_does_not_affect_other_contacts(deployment: Deployment) -> None:
    """It is answered without a contact and not recorded."""
    async with in_process(deployment) as (client, context):
        known, unknown = await received(client), {"dossier_id": fresh_id()}
        answer = await client.look_up(unknown, known, unknown)
        assert answer.status_code == 200
        found = [(one["dossier_id"], one["contact"] and one["contact"]["phone"]) for one in answer.json()["found"]]
        unknown_result = (unknown["dossier_id"], None)
        assert found == [unknown_result, (known["dossier_id"], CONTACT["phone"]), unknown_result]
        assert await count(context.pool, "contact_lookups") == 1


async def test_look_up_needs_a_purpose_and_has_a_limit(deployment: Deployment) -> None:
    """A request has 1 to 100 contacts and a purpose."""
    async with in_process(deployment) as (client, context):
        one = await received(client)
        refused = [await client.look_up(), await client.look_up(*[one] * 101), await client.look_up(one, purpose=" ")]
        assert [answer.status_code for answer in refused] == [422] * 3
        assert await count(context.pool, "contact_lookups") == 0
        assert (await client.look_up(*[one] * 100)).status_code == 200


async def test_look_up_by_another_role_is_refused(deployment: Deployment) -> None:
    """Only services look contacts up; a refused request is not recorded."""
    async with in_process(deployment) as (client, context):
        one = await received(client)
        for who in ("clerk", "officer", "leader", "ops", "auditor", "portal", "importer"):
            assert (await client.look_up(one, who=who)).status_code == 403
        assert await count(context.pool, "contact_lookups") == 0


async def received(client: IntakeClient) -> dict[str, Any]:
    """A received dossier with a contact, as a look-up names it."""
    return {"dossier_id": (await client.walk_in(applicant=CONTACT))["dossier_id"]}


def fresh_id() -> str:
    """A new UUIDv7."""
    return str(uuid7(machine_now()))
