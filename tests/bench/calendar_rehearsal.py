"""Rehearse and approve an extra day off in the middle of the busy weeks of 2017.

`python -m tests.bench.calendar_rehearsal` plays the first weeks of the demo's half year through a fresh centre. It
stops at noon of a working day, when every department has open dossiers. A leader then proposes that the second working
day from there is a day off. The output is the rehearsal as a table (see docs/calendars.md), the number of events that
the sweep published, and the result of `motcua verify`.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from datetime import time as clock_time
from typing import Any

import asyncpg
import httpx
from rich.console import Console

from motcua.lab.player import play
from motcua.lab.scenarios.half_year.scenario import HalfYear
from motcua.local.centre import LocalCentre
from motcua.local.database import VERIFY
from motcua.local.keys import IMPORTER
from motcua.local.settings import MotcuaSettings
from motcua.verification.command import run_verify
from shared.runtime.settings import load
from tests.bench.bench import QUICK, Bench

_COUNTS = ("later", "earlier", "unmoved", "past")


def main() -> int:
    """Run the rehearsal and the sweep. Returns the exit status of `motcua verify`: 0 without violations."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.calendar_rehearsal", description=__doc__.split("\n", 1)[0]
    )
    parser.add_argument("--weeks", type=int, default=6)
    weeks = parser.parse_args().weeks
    settings = load(MotcuaSettings)
    bench = Bench(QUICK, settings, settings.home.resolve() / "bench", lambda line: print(line, flush=True))
    half_year = HalfYear(bench.centre, weeks=weeks)
    worktime = half_year.worktime
    last = worktime.working_day_before(bench.centre.local_date(half_year.ends_at), 3)
    noon = datetime.combine(last, clock_time(12), bench.centre.zone)
    with bench.local_centre("rehearsed", durable=False, starts_at=half_year.starts_at) as local:

        def acts() -> Iterator[dict[str, Any]]:
            for act in half_year.acts():
                if act.occurred_at <= noon:
                    yield act.members()

        importer, ops = local.tokens[IMPORTER], local.tokens["ops"]
        played = asyncio.run(play(acts(), local.site, local.centre, importer=importer, ops=ops, until=noon))
        bench.report(f"{played.acts:,} acts played until {noon:%A %d %B %Y, %H:%M}")
        asyncio.run(_propose_and_approve(bench, local, worktime.working_day_after(last, 2)))
        url = local.site.databases[VERIFY]
        status = run_verify(url, local.site.kafka, local.centre, Console())
        bench.report(f"{asyncio.run(_count_moved(url)):,} events deadline.moved were published")
        return status


async def _propose_and_approve(bench: Bench, local: LocalCentre, day: date) -> None:
    calendar = f"{local.site.url('sla')}/calendars/{local.centre.calendar.name}"
    leader = {"Authorization": f"Bearer {local.tokens['leader']}"}
    async with httpx.AsyncClient(headers=leader, timeout=120.0, trust_env=False) as http:

        async def request(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
            url = f"{calendar}{path}"
            answer = await (http.post(url, json=body, headers={"Idempotency-Key": path}) if body else http.get(url))
            content: dict[str, Any] = answer.raise_for_status().json()
            return content

        off = {"date": day.isoformat(), "kind": "off", "status": "decided", "name": "Nghỉ bão"}
        proposed = await request("/proposals", {"exceptions": [off]})
        proposal = f"/proposals/{proposed['proposal_id']}"
        started = time.monotonic()
        rehearsal = await request(f"{proposal}/rehearsal")
        bench.report(f"Rehearsed in {time.monotonic() - started:.2f} s: {day:%A %d %B %Y} off\n")
        bench.report(f"| department | open | {' | '.join(_COUNTS)} | dates that move |")
        bench.report(f"|---|{'---:|' * (len(_COUNTS) + 1)}---|")
        for row in rehearsal["departments"]:
            counts = " | ".join(f"{row[name]:,}" for name in _COUNTS)
            span = f"{row['first_moved']} to {row['last_moved']}" if row["first_moved"] else "none"
            bench.report(f"| {row['department']} | {row['open']:,} | {counts} | {span} |")
        for move in (await request(f"{proposal}/rehearsal/moves?limit=3"))["items"]:
            bench.report(f"{move}")
        approved = await request(f"{proposal}/approve", {"decision": "57/QĐ-TTHCC"})
        bench.report(f"\nApproved: version {approved['calendar_version']}")


async def _count_moved(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("select count(*) from sla.events where type = 'deadline.moved'"))
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main())
