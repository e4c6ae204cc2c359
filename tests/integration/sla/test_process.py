"""Sla as its own process with the machine's clock: its ticker, killed and restarted."""

from pathlib import Path

import asyncpg
import httpx

from motcua.local.embedded import kafka
from services.sla import __file__ as sla_file
from shared.postgres.migrate import migrate
from shared.service.keys import new_key, write_keys
from tests.support import Databases, eventually, free_port
from tests.support.centre_folder import write_centre
from tests.support.dossier_events import DossierEvents
from tests.support.kafka import send
from tests.support.service_process import ServiceProcess

LONG_AGO = "2018-01-02 09:00"


async def test_killed_process_publishes_nothing_twice(
    sla_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """A dossier received long ago gets every threshold at once, and after kill -9 only the new dossier gets events."""
    url = database.fresh("sla").url("sla")
    migrate(url, "sla", Path(sla_file).parent / "migrations")
    token, key = new_key("leader", "leader")
    write_keys(tmp_path / "keys.toml", [key])
    settings = {
        "SLA_KAFKA_BOOTSTRAP": sla_broker.bootstrap,
        "SLA_DATABASE_URL": url,
        "SLA_MEMBER": "sla-0",
        "SLA_PORT": str(free_port()),
        "SLA_CENTRE": str(write_centre(tmp_path / "centre")),
        "SLA_KEYS_FILE": str(tmp_path / "keys.toml"),
        "SLA_TICK_SECONDS": "0.2",
    }
    process = ServiceProcess("sla", settings, tmp_path / "sla.log")
    first, second = DossierEvents(), DossierEvents()
    everything = ["set", "near", "reached", "breached", "escalated", "escalated"]
    connection = await asyncpg.connect(url)

    async def types(dossier: DossierEvents) -> list[str]:
        rows = await connection.fetch(
            "select type from events where key = $1 order by sequence", str(dossier.dossier_id)
        )
        return [row["type"].removeprefix("deadline.") for row in rows]

    async def published(dossier: DossierEvents) -> bool:
        return await types(dossier) == everything

    try:
        process.start()
        await send(sla_broker.bootstrap, [first.at(LONG_AGO).received()])
        await eventually(lambda: published(first), within=30)
        process.kill()
        await send(sla_broker.bootstrap, [second.at(LONG_AGO).received()])
        process.start()
        await eventually(lambda: published(second), within=30)
        assert await types(first) == everything
        async with httpx.AsyncClient(base_url=process.url, headers={"Authorization": f"Bearer {token}"}) as leader:
            shown = (await leader.get(f"/dossiers/{first.dossier_id}/deadline")).json()
        assert (shown["state"], shown["overdue"]) == ("running", True)
        assert process.stop() == 0
    finally:
        process.stop()
        await connection.close()
