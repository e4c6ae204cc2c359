"""ops next to a centre during a replay: its views equal the events of the services after restarts."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from motcua.lab.player import PlayProgress, play
from motcua.local.database import VERIFY
from motcua.local.embedded.kafka import Toolchain
from tests.support import eventually_sync
from tests.support.ops import expected_views, ops_process
from tests.support.past import ENDS_AT, STARTS_AT, acts
from tests.support.whole import whole_centre

pytestmark = pytest.mark.timeout(900)


def test_totals_are_exact_after_restarts_during_a_replay(toolchain: Toolchain, tmp_path: Path) -> None:
    """After a kill and a stop, the views equal the services' histories and the count of one reader from the start."""
    with whole_centre(toolchain, starts_at=STARTS_AT) as local:
        ops = ops_process(local.site.kafka, tmp_path)

        def restart(played: PlayProgress) -> None:
            if played.windows == 2:
                ops.kill()
                ops.launch()
            if played.windows == 4:
                eventually_sync(ops.ready, within=120)
                assert ops.stop() == 0
                ops.launch()

        async def played() -> PlayProgress:
            return await play(
                acts(local.centre, count=40),
                local.site,
                local.centre,
                importer=local.tokens["importer"],
                ops=local.tokens["ops"],
                window=timedelta(hours=22),
                until=ENDS_AT,
                progress=restart,
            )

        try:
            ops.start()
            assert asyncio.run(played()).windows > 4
            eventually_sync(ops.ready, within=120)
            ops.shows(asyncio.run(expected_views(local.site.kafka)))
            shown = ops.views()
        finally:
            ops.stop()
        with psycopg.connect(local.site.databases[VERIFY]) as connection:
            submitted = connection.execute(
                "select count(*) from intake.events where type = 'dossier.submitted'"
            ).fetchone()
            messages = connection.execute("select type, count(*) from notify.events group by type").fetchall()
    assert submitted == (shown["arrivals"]["total"],)
    outcomes: Counter[str] = Counter()
    for one in shown["messages"]["outcomes"]:
        outcomes[f"message.{one['outcome']}"] += one["count"]
    assert +outcomes == dict(messages)
    assert {"message.sent", "message.delivered"} <= outcomes.keys()
