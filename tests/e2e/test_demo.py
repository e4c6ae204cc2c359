"""`motcua demo` as a whole: its exit status, its page and the folder that it writes."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from motcua.lab.demo.command import PAGE, run_demo
from motcua.lab.past_acts import PastAct
from motcua.lab.scenarios.half_year.parameters import Parameters
from motcua.lab.scenarios.half_year.scenario import HalfYear
from motcua.local.embedded import kafka
from motcua.local.settings import MotcuaSettings
from shared.catalogue import load_centre
from shared.runtime.settings import load

pytestmark = pytest.mark.timeout(
    900
)  # a whole centre, hundreds of dossiers and every check, on a machine that may be busy


def test_demo_of_one_week_is_verified_and_writes_its_page(home: Path, toolchain: kafka.Toolchain) -> None:
    """The demo exits with status 0, its page has the drawn numbers, and all files are in one folder."""
    environment = {**os.environ, "MOTCUA_HOME": str(home)}  # noqa: TID251 - the command inherits the environment, as from a shell
    command = [sys.executable, "-m", "motcua", "demo", "--weeks", "1"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=880, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    half_year = HalfYear(load_centre(load(MotcuaSettings).centre), weeks=1)
    for _ in half_year.acts():
        pass
    assert f"Verified: {half_year.ledger.dossiers:,} dossiers" in ended.stdout
    written = list(home.iterdir())
    assert [path.name[:5] for path in written] == ["demo-"]
    page = (written[0] / PAGE).read_text(encoding="utf-8")
    assert "Every check passes" in page
    assert f"<b>{half_year.ledger.dossiers}</b>dossiers" in page
    weeks = list(half_year.ledger.weeks())
    rows = dict(re.findall(r"<td>([A-Za-z]+)</td>((?:<td style[^>]*>\d+</td>)+)", page))
    assert {code: [int(count) for count in re.findall(r">(\d+)<", cells)] for code, cells in rows.items()} == {
        code: [half_year.ledger.submitted[code, week] for week in weeks] for code in half_year.parameters.departments()
    }
    assert "TTHCC" in (written[0] / "inbox" / "sms.jsonl").read_text()


class _LedgerWithExtraDossier(HalfYear):
    """A half year whose ledger counts a dossier that does not exist."""

    def acts(self) -> Iterator[PastAct]:
        yield from super().acts()
        self.ledger.submitted[next(iter(self.ledger.submitted))] += 1


def test_demo_fails_if_the_ledger_differs(home: Path, toolchain: kafka.Toolchain) -> None:
    """The demo exits with status 1 and names the department and week that differ, although `verify` passes."""
    settings = load(MotcuaSettings).model_copy(update={"home": home})
    half_year = _LedgerWithExtraDossier(load_centre(settings.centre), weeks=1, parameters=Parameters(total=1_200))
    output = StringIO()
    assert run_demo(settings, Console(file=output, width=200), half_year) == 1
    (code, week), drawn = next(iter(half_year.ledger.submitted.items()))
    assert "Verified: " in output.getvalue()
    assert (
        f"DIFFERS {code}, week of {week}: intake has {drawn - 1} dossiers submitted, {drawn} were drawn"
        in output.getvalue()
    )
    (page,) = home.glob(f"demo-*/{PAGE}")
    assert "1 difference" in page.read_text(encoding="utf-8")
