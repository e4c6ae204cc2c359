"""The provider's delivery receipts: who may send them, and what each does."""

from pathlib import Path

from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.notify.office import RECEIPT_KEY, office, recent_dossier
from tests.support import Databases


async def test_receipt_without_its_key_is_refused(database: Databases, tmp_path: Path) -> None:
    """An API key is not accepted, and an unknown status is invalid."""
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


async def test_receipts_of_a_request_apply_independently(database: Databases, tmp_path: Path) -> None:
    """Receipts of one message apply in order, one of an unknown message changes nothing, and none affects another."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(receipts="none")
        sent, unsent = recent_dossier(reach=("sms",)), recent_dossier(reach=("sms",))
        sent.withdrawn()
        await it.handle(sent.events)
        await it.becomes(sent, "sent")
        it.intake.broken = True
        unsent.withdrawn()
        await it.handle(unsent.events)
        (first,), (second,) = await it.messages(sent), await it.messages(unsent)
        delivered, early, unknown = str(first["message_id"]), str(second["message_id"]), str(sent.dossier_id)
        reports = ((delivered, "undelivered"), (unknown, "delivered"), (early, "delivered"), (delivered, "delivered"))
        body = {"receipts": [{"message_id": one, "status": status} for one, status in reports]}
        answer = await it.http.post(
            f"{it.urls[0]}/receipts", json=body, headers={"Authorization": f"Bearer {RECEIPT_KEY}"}
        )
        assert answer.status_code == 200
        assert answer.json() == {
            "taken": [
                {"message_id": delivered, "news": True},
                {"message_id": early, "news": False},  # never sent, so it cannot be delivered
                {"message_id": delivered, "news": True},
            ],
            "unknown": [unknown],
        }
        assert (await it.messages(sent))[0]["state"] == "delivered"
        assert (await it.messages(unsent))[0]["state"] == "planned"


async def test_receipt_that_cannot_be_stored_affects_no_other(database: Databases, tmp_path: Path) -> None:
    """The request fails, so that the provider sends all again; the other receipts are stored."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(receipts="none")
        dossiers = [recent_dossier(reach=("sms",)) for _ in range(2)]
        for dossier in dossiers:
            dossier.withdrawn()
            await it.handle(dossier.events)
            await it.becomes(dossier, "sent")
        ids = [str((await it.messages(dossier))[0]["message_id"]) for dossier in dossiers]
        await it.pool.execute(f"alter table messages add check (message_id <> '{ids[0]}' or state <> 'delivered')")
        body = {"receipts": [{"message_id": one, "status": "delivered"} for one in ids]}
        answer = await it.http.post(
            f"{it.urls[0]}/receipts", json=body, headers={"Authorization": f"Bearer {RECEIPT_KEY}"}
        )
        assert answer.status_code == 500
        assert [(await it.messages(dossier))[0]["state"] for dossier in dossiers] == ["sent", "delivered"]
