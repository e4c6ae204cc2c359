"""The command's own words: what is wrong is told in a sentence, with a status that scripts can tell apart."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from motcua.__main__ import main

CENTRE = Path(__file__).resolve().parents[3] / "config" / "binh-phuoc"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Its exit status."""
    monkeypatch.setattr("sys.argv", ["motcua", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_sound_centre_is_good(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without any setting of a service: status 0, and the version that the services would tell."""
    assert run(monkeypatch, "check-config", str(CENTRE)) == 0
    assert "catalogue_version" in capsys.readouterr().out


def test_a_fault_of_the_folder_has_file_and_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Status 1: a check failed."""
    folder = Path(shutil.copytree(CENTRE, tmp_path / "centre"))
    with (folder / "counters.csv").open("a", encoding="utf-8") as file:
        file.write("99,department\n")
    assert run(monkeypatch, "check-config", str(folder)) == 1
    lines = len((folder / "counters.csv").read_text(encoding="utf-8").splitlines())
    assert f"counters.csv:{lines}: The line has 2 values, but the header has 8" in capsys.readouterr().err


def test_a_place_is_told_as_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The terminal's own short forms, of which `:100:` is one, do not change a line's number."""
    folder = Path(shutil.copytree(CENTRE, tmp_path / "centre"))
    lines = (folder / "procedures.csv").read_text(encoding="utf-8").splitlines()
    lines[99] = f"{lines[99]},"
    (folder / "procedures.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert run(monkeypatch, "check-config", str(folder)) == 1
    assert "procedures.csv:100: " in capsys.readouterr().err


def test_a_fault_of_the_texts_is_found_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What notify would refuse at its start is told before it starts."""
    folder = Path(shutil.copytree(CENTRE, tmp_path / "centre"))
    texts = folder / "messages" / "0001.toml"
    texts.write_text(texts.read_text(encoding="utf-8").replace("{hotline}", "{hotlin}"), encoding="utf-8")
    assert run(monkeypatch, "check-config", str(folder)) == 1
    assert "Unknown placeholder {hotlin}" in capsys.readouterr().err


def test_what_the_machine_refuses_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A file that cannot be read: status 3, which file and why, no traceback."""
    (tmp_path / "inbox" / "sms.jsonl").mkdir(parents=True)
    monkeypatch.setenv("MOTCUA_HOME", str(tmp_path))
    assert run(monkeypatch, "inbox") == 3
    told = capsys.readouterr().err
    assert f"'{tmp_path / 'inbox' / 'sms.jsonl'}'" in told
    assert len(told.splitlines()) == 1


def test_a_database_that_is_no_address_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 3 and the variable's name; the value, which may hold a password, is not shown."""
    monkeypatch.setenv("MOTCUA_DATABASE", "s3cret@somewhere")
    assert run(monkeypatch, "lag") == 3
    told = capsys.readouterr().err
    assert "MOTCUA_DATABASE" in told
    assert "s3cret" not in told


def test_a_command_loads_what_it_needs_and_no_more() -> None:
    """Half of the start of `motcua due` was the database's drivers and the contracts, of which it asks nothing."""
    asked = "import sys, motcua.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert not {"psycopg", "asyncpg", "aiokafka", "shared.contracts.registry"} & set(loaded.stdout.split())
