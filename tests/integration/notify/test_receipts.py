"""The provider's reports of arrival: who may bring them, and what each does."""

from pathlib import Path

from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.notify.office import RECEIPT_KEY, life_now, office
from tests.support import Databases


async def test_receipts_need_their_own_key(database: Databases, tmp_path: Path) -> None:
    """An API key is not enough; and a status that nobody knows is refused."""
    async with office(database.fresh("notify"), tmp_path) as it:
        known = {"message_id": str(uuid7(machine_now())), "status": "delivered"}
        right = {"Authorization": f"Bearer {RECEIPT_KEY}"}
        for receipts, headers, status in (
            ([known], {}, 401),
            ([known], {"Authorization": f"Bearer {it.keys['leader']}"}, 401),
            ([known | {"status": "lost"}], right, 422),
            ([], right, 422),
        ):
            answer = await it.http.post(f"{it.urls[0]}/receipts", json={"receipts": receipts}, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_each_receipt_of_a_group_is_taken_for_itself(database: Databases, tmp_path: Path) -> None:
    """Reports of one message hold in their order, a stranger's changes nothing, and none spoils another."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(receipts="none")
        sent, unsent = life_now(reach=("sms",)), life_now(reach=("sms",))
        sent.withdrawn()
        await it.hear(sent.events)
        await it.becomes(sent, "sent")
        it.intake.broken = True
        unsent.withdrawn()
        await it.hear(unsent.events)
        (first,), (second,) = await it.messages(sent), await it.messages(unsent)
        arrived, early, strange = str(first["message_id"]), str(second["message_id"]), str(sent.dossier_id)
        reports = ((arrived, "undelivered"), (strange, "delivered"), (early, "delivered"), (arrived, "delivered"))
        body = {"receipts": [{"message_id": one, "status": status} for one, status in reports]}
        answer = await it.http.post(
            f"{it.urls[0]}/receipts", json=body, headers={"Authorization": f"Bearer {RECEIPT_KEY}"}
        )
        assert answer.status_code == 200
        assert answer.json() == {
            "taken": [
                {"message_id": arrived, "news": True},
                {"message_id": early, "news": False},  # it was never sent, so it cannot have arrived
                {"message_id": arrived, "news": True},
            ],
            "unknown": [strange],
        }
        assert (await it.messages(sent))[0]["state"] == "delivered"
        assert (await it.messages(unsent))[0]["state"] == "planned"


async def test_a_receipt_that_cannot_be_kept_spoils_no_other(database: Databases, tmp_path: Path) -> None:
    """The whole group is refused, so that the provider sends it again; what could be kept is kept."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(receipts="none")
        lives = [life_now(reach=("sms",)) for _ in range(2)]
        for life in lives:
            life.withdrawn()
            await it.hear(life.events)
            await it.becomes(life, "sent")
        ids = [str((await it.messages(life))[0]["message_id"]) for life in lives]
        await it.pool.execute(f"alter table messages add check (message_id <> '{ids[0]}' or state <> 'delivered')")
        body = {"receipts": [{"message_id": one, "status": "delivered"} for one in ids]}
        answer = await it.http.post(
            f"{it.urls[0]}/receipts", json=body, headers={"Authorization": f"Bearer {RECEIPT_KEY}"}
        )
        assert answer.status_code == 500
        assert [(await it.messages(life))[0]["state"] for life in lives] == ["sent", "delivered"]
