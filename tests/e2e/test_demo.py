"""`motcua demo`: ends by itself with a summary, everything verified, nothing left running, `up`'s data untouched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from motcua.embedded import kafka


@pytest.mark.timeout(400)  # a whole centre, forty lives and every check, on a machine that may be busy
def test_forty_lives_end_verified(home: Path, toolchain: kafka.Toolchain) -> None:
    """Forty dossiers hold every kind of life; status 0, and all that was written lies in one fresh folder."""
    (home / "jars").symlink_to(toolchain.jars.parent)
    environment = {**os.environ, "MOTCUA_HOME": str(home)}  # noqa: TID251 - a person's shell hands it on
    command = [sys.executable, "-m", "motcua", "demo", "--dossiers", "40"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=380, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Verified: 40 dossiers" in ended.stdout
    written = [path for path in home.iterdir() if path.name != "jars"]
    assert [path.name[:5] for path in written] == ["demo-"]
    assert len((written[0] / "ledger.jsonl").read_text().splitlines()) > 200
    assert "TTHCC" in (written[0] / "inbox" / "sms.jsonl").read_text()
