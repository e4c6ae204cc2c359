"""The benchmarks' parts in their smallest form give rows of the form that the page shows; how fast is not judged."""

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
    """The smallest run, in a folder of its own."""
    return Bench(TINY, load(MotcuaSettings), home, lambda _: None, peers=home / "no-such-harness")


def _rates(part: Part) -> dict[str, float]:
    return {
        row.name: figure.middle
        for table in part.tables
        for row in table.rows
        for figure in row.figures.values()
        if figure.unit.endswith("/s")
    }


def test_the_shell_is_measured_line_by_line(bench: Bench) -> None:
    """Every line of the same records has a rate of its own, and what was counted agrees; else there is no result."""
    found = _rates(delivery_rates.run(bench))
    assert found.keys() == {
        delivery_rates.CLIENT_ALONE,
        delivery_rates.DECODED,
        delivery_rates.STATE,
        delivery_rates.TOLD,
        delivery_rates.RELAY,
    }
    assert all(rate > 0 for rate in found.values())


def test_limits_are_measured_on_the_servers_own_disk(bench: Bench) -> None:
    """Pages written and waited for, commits over one connection and over several: each has its rate."""
    found = _rates(limits.run(bench))
    assert len(found) == 3
    assert all(rate > 0 for rate in found.values())


def test_without_their_harness_peers_are_left_out(bench: Bench) -> None:
    """A clone alone can be measured, and the page names what is missing."""
    part = peers.run(bench)
    assert "no bench.py in the folder given" in part.skipped
    assert part.tables == ()
