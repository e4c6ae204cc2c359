"""The walk-through of the README, run as written except for ports, folder and the path of the command."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from motcua.local.embedded import kafka
from motcua.local.sinks.inbox import read_inbox
from tests.support import eventually_sync
from tests.support.up import Up, installed

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.fixture
def up(home: Path, toolchain: kafka.Toolchain) -> Iterator[Up]:
    with installed(home, toolchain) as installation:
        installation.start()
        yield installation


def walk_through(up: Up) -> list[str]:
    """The code blocks of the section after the one that starts the centre, adapted to this installation."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, *blocks = BLOCKS.findall(text.split("## One dossier by hand")[1].split("\n## ")[0])
    replaced = {
        "127.0.0.1:8101": f"127.0.0.1:{up.http_port + 1}",
        "127.0.0.1:8102": f"127.0.0.1:{up.http_port + 2}",
        ".local/": f"{up.home}/",
        ".venv/bin/motcua": f"{sys.executable} -m motcua",
    }
    for written, here in replaced.items():
        blocks = [block.replace(written, here) for block in blocks]
    return blocks


def run(up: Up, *blocks: str) -> str:
    """Run the blocks in one shell in the root of the repository; returns the output."""
    script = "\n".join(blocks).replace("answer.json", f"{up.home}/answer.json")
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=ROOT,
        env=up.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(400)  # starts a whole centre, on a machine that may be busy
def test_walk_through_works_as_written(up: Up) -> None:
    """The blocks receive a walk-in, show its due date, SMS and counter, settle it, and verify the centre."""
    submit, due, inbox, acts, routing, proof = walk_through(up)
    keys, dossier = submit.splitlines()[0], due.splitlines()[0]
    assert '"code":"H10.02-' in run(up, submit)
    assert '"up_to_date":true' in run(up, keys, due)

    def events(words: str) -> str:
        eventually_sync(lambda: any(words in message.text for message in read_inbox(up.home)), within=20)
        return run(up, dossier, inbox)

    eventually_sync(lambda: {message.channel for message in read_inbox(up.home)} == {"sms", "email"}, within=20)
    received = events("da tiep nhan")
    assert "da tiep nhan" in received
    assert "sms to +84912345678" in received
    assert "email to lan@example.com" in received
    refused = run(up, keys, dossier, acts, """act receive "$CLERK_2" '{}'""")
    assert refused.count("urn:motcua:problem") == 1
    assert '"allowed": [' in refused
    assert "da co ket qua" in events("da co ket qua")
    assert '"counters"' in run(up, keys, routing)
    run(up, keys, dossier, proof)
    person = ("Nguyễn Thị Lan", "912345678", "lan@example.com")
    places = places_of(up, *person, "H10.02-")
    for text in person:
        assert places[text] <= {"inbox"}, "personal data live in intake alone; logs and Kafka hold none"
    assert places["912345678"] == {"inbox"}
    assert "kafka" in places["H10.02-"], "published data is found by the same search"


def places_of(up: Up, *texts: str) -> dict[str, set[str]]:
    """The folders of the home, except Postgres, with a file that contains the text, for each text.

    Each file is read once, because Kafka's indexes have a gigabyte.
    """
    places: dict[str, set[str]] = {text: set() for text in texts}
    for file in (file for part in ("kafka", "logs", "inbox", "tokens") for file in (up.home / part).rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            for text in texts:
                if text.encode() in content:
                    places[text].add(file.relative_to(up.home).parts[0])
    return places
