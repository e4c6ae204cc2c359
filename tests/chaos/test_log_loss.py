"""A whole centre whose broker loses an acknowledged batch: intake halts, and one command repairs it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import asyncpg
import httpx
import pytest

from motcua.local.centre import LocalCentre
from motcua.local.embedded.kafka import Broker, Toolchain
from shared.contracts.topics import DOSSIERS
from tests.support import eventually
from tests.support.log_cut import lose_batches
from tests.support.whole import patient_client, play, scenarios, verified, whole_centre

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def local(toolchain: Toolchain) -> Iterator[LocalCentre]:
    """A centre that no other test uses: its log is damaged."""
    with whole_centre(toolchain) as centre:
        yield centre


def repair(local: LocalCentre) -> str:
    """Run `motcua repair log intake` as an operator does; returns its output. Blocks."""
    settings = local.settings
    environment = {
        **os.environ,  # noqa: TID251 - the command inherits the environment, as from a shell
        "MOTCUA_HOME": str(local.home),
        "MOTCUA_KAFKA_PORT": str(settings.kafka_port),
        "MOTCUA_DATABASE_PORT": str(settings.database_port),
    }
    command = [sys.executable, "-m", "motcua", "repair", "log", "intake", "--yes"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_lost_batch_is_repaired_while_the_centre_runs(local: LocalCentre) -> None:
    """Acts are refused with the reason until the repair; then every reader applies every event, and verify agrees."""
    ledger = local.home / "ledger.jsonl"
    planned = scenarios(local, 20)
    async with patient_client(local, ledger) as client:
        await play(client, planned[:14])
    assert (await verified(local, ledger=ledger)).passed
    assert isinstance(local.broker, Broker)
    connection = await asyncpg.connect(local.site.databases["intake"])
    try:
        partition = await connection.fetchval(
            "select partition from intake.produced_offsets where topic = $1 order by end_offset desc limit 1",
            DOSSIERS.name,
        )
        await asyncio.to_thread(lose_batches, local.broker, DOSSIERS.name, partition=partition)

        async def halted() -> bool:
            return await connection.fetchval("select halted from intake.service_state") is not None

        await eventually(halted, within=60)
        headers = {"Authorization": f"Bearer {local.tokens['ops']}"}
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{local.site.http_ports['intake']}", headers=headers
        ) as http:
            ready = await http.get("/readyz")
            assert (ready.status_code, "Kafka lost records" in ready.text) == (503, True)
        output = await asyncio.to_thread(repair, local)
        assert "intake is halted: Kafka lost records" in output
        assert "events are published again" in output
        for service in ("routing", "sla", "notify"):
            local.parts[service].kill()
            local.start_service(service)
        async with patient_client(local, ledger) as client:
            await play(client, planned[14:])
        report = await verified(local, ledger=ledger, quiescence_seconds=90)
        assert report.passed, report
    finally:
        await connection.close()
