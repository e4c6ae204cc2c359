"""A unique violation that persists is an internal error with an alarm, and not a request to send the act again."""

import asyncpg
from structlog.testing import capture_logs

from shared.contracts.topics import DOSSIERS
from tests.integration.intake.deployment import Deployment, fresh_key, in_process


async def occupy(pool: asyncpg.Pool, dossier_id: str, sequence: int) -> None:
    """Store an event with the sequence that the dossier's next event will have, which no code does."""
    await pool.execute(
        "insert into events (id, topic, key, sequence, epoch, type, version, time, recorded_at, value) "
        "values (gen_random_uuid(), $1, $2, $3, 1, 'dossier.taken_over', 1, now(), now(), '{}')",
        DOSSIERS.name,
        dossier_id,
        sequence,
    )


async def test_persistent_violation_is_an_internal_error_with_an_alarm(deployment: Deployment) -> None:
    """The answer is a 500 without Retry-After; other dossiers are not affected."""
    async with in_process(deployment) as (client, context):
        bad, good = await client.walk_in(), await client.walk_in()
        await occupy(context.pool, bad["dossier_id"], bad["sequence"] + 1)
        with capture_logs() as logs:
            answer = await client.act(bad["dossier_id"], "take_over", "officer")
        assert (answer.status_code, answer.json()["type"]) == (500, "urn:motcua:problem:internal")
        assert "retry-after" not in answer.headers
        (line,) = [entry for entry in logs if entry["event"] == "unique_violation_persists"]
        assert (line["table"], line["constraint"]) == ("events", "events_key_topic_sequence_epoch_key")
        assert bad["dossier_id"] not in str(line)
        assert (await client.act(good["dossier_id"], "take_over", "officer")).status_code == 200
        metrics = (await client.http.get(f"{client.base}/metrics")).text
        assert 'persistent_violations_total{constraint="events_key_topic_sequence_epoch_key"}' in metrics


async def test_persistent_violation_fails_one_line_of_a_batch(deployment: Deployment) -> None:
    """The other lines of the block take effect."""
    async with in_process(deployment) as (client, context):
        bad, good = await client.walk_in(), await client.walk_in()
        await occupy(context.pool, bad["dossier_id"], bad["sequence"] + 1)
        answers = await client.batch([_take_over(one) for one in (bad, good)], "officer")
        assert [answer["status"] for answer in answers] == [500, 200]
        assert answers[0]["problem"]["type"] == "urn:motcua:problem:internal"


def _take_over(dossier: dict[str, object]) -> dict[str, object]:
    return {"key": fresh_key(), "act": "take_over", "dossier": {"id": dossier["dossier_id"]}, "data": {}}
