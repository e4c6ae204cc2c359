"""Parts of the benchmarks at their smallest size return the rows that the page shows; the rates are not checked."""

from dataclasses import replace
from pathlib import Path

import pytest

from motcua.local.embedded.kafka import Toolchain
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load
from tests.bench import delivery_rates, limits, peers
from tests.bench.bench import QUICK, Bench
from tests.bench.figures import Part

TINY = replace(QUICK, events=600, limit_seconds=0.05)


@pytest.fixture
def bench(toolchain: Toolchain, home: Path) -> Bench:
    """A run of the smallest size, in its own folder."""
    return Bench(TINY, load(MotcuaSettings), home, lambda _: None, peers=home / "no-such-harness")


def _rates(part: Part) -> dict[str, float]:
    return {
        row.name: figure.median
        for table in part.tables
        for row in table.rows
        for figure in row.figures.values()
        if figure.unit.endswith("/s")
    }


def test_delivery_part_returns_a_rate_per_stage(bench: Bench) -> None:
    """Each stage of event delivery has a positive rate, and the counts of events agree."""
    rates = _rates(delivery_rates.run(bench))
    assert rates.keys() == {
        delivery_rates.CLIENT_ONLY,
        delivery_rates.DECODING,
        delivery_rates.STATE_ONLY,
        delivery_rates.PUBLISHING,
        delivery_rates.RELAY,
    }
    assert all(rate > 0 for rate in rates.values())


def test_limits_part_returns_a_rate_per_limit(bench: Bench) -> None:
    """Flushed pages, commits over one connection and commits over eight connections have positive rates."""
    rates = _rates(limits.run(bench))
    assert len(rates) == 3
    assert all(rate > 0 for rate in rates.values())


def test_peers_part_without_a_harness_is_skipped(bench: Bench) -> None:
    """Without the peers' harness the other parts can be measured, and the page names the missing file."""
    part = peers.run(bench)
    assert "no bench.py in the folder given" in part.skipped
    assert part.tables == ()
