"""Limits of the machine: one-row commits per second of Postgres, and fdatasync calls per second of the disk."""

import asyncio
import os
import time
from pathlib import Path

import asyncpg

from tests.bench.bench import Bench
from tests.bench.figures import Figure, Part, Row, Table

_CONNECTIONS = (1, 8)
_PAGE = b"\0" * 8192


def run(bench: Bench) -> Part:
    """Measure each limit several times, one after the other, on a fresh, durable database server."""
    seconds, runs = bench.sizes.limit_seconds, range(bench.sizes.runs)
    with bench.servers("limits") as (_, postgres):
        syncs = [syncs_per_second(postgres.folder, seconds) for _ in runs]
        commits = {
            count: [asyncio.run(commits_per_second(postgres.url, count, seconds)) for _ in runs]
            for count in _CONNECTIONS
        }
    rows = [Row("fdatasync of one page of 8 KiB", {"rate": Figure(tuple(syncs), "/s")})]
    for count, rates in commits.items():
        name = f"one-row commits, {count} connection{'s' if count > 1 else ''}"
        rows.append(Row(name, {"rate": Figure(tuple(rates), "/s")}))
        bench.report(f"  {name}: {max(rates):,.0f}/s")
    return Part("limits", 0.0, (Table("limits", tuple(rows)),))


def syncs_per_second(folder: Path, seconds: float) -> float:
    """Return how often per second a page of a file in the folder is written and flushed to the disk. Blocks."""
    path = folder / "syncs"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, _PAGE)
        count, started = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - started) < seconds:
            os.pwrite(descriptor, _PAGE, 0)
            os.fdatasync(descriptor)
            count += 1
        return count / elapsed
    finally:
        os.close(descriptor)
        path.unlink()


async def commits_per_second(url: str, connections: int, seconds: float) -> float:
    """Return how many one-row inserts per second are committed, over that many concurrent connections."""
    opened = [await asyncpg.connect(url) for _ in range(connections)]
    try:
        await opened[0].execute("create table if not exists commits (id bigint generated always as identity, at int)")
        started = time.perf_counter()

        async def commit(connection: asyncpg.Connection) -> int:
            count = 0
            while time.perf_counter() - started < seconds:
                await connection.execute("insert into commits (at) values ($1)", count)
                count += 1
            return count

        counts = await asyncio.gather(*(commit(connection) for connection in opened))
        return sum(counts) / (time.perf_counter() - started)
    finally:
        for connection in opened:
            await connection.close()
