"""Messages and exit statuses of `motcua`."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from motcua.__main__ import main

CENTRE = Path(__file__).resolve().parents[3] / "config" / "binh-phuoc"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command and return its exit status."""
    monkeypatch.setattr("sys.argv", ["motcua", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_valid_centre_passes_check_config(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A valid folder ends with status 0 and its version, without any setting of a service."""
    assert run(monkeypatch, "check-config", str(CENTRE)) == 0
    assert "catalogue_version" in capsys.readouterr().out


def test_fault_in_the_folder_is_reported_with_file_and_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A fault in a file is reported with its line, and ends with status 1."""
    folder = Path(shutil.copytree(CENTRE, tmp_path / "centre"))
    with (folder / "counters.csv").open("a", encoding="utf-8") as file:
        file.write("99,department\n")
    assert run(monkeypatch, "check-config", str(folder)) == 1
    lines = len((folder / "counters.csv").read_text(encoding="utf-8").splitlines())
    assert f"counters.csv:{lines}: The line has 2 values, but the header has 8" in capsys.readouterr().err


def test_line_number_is_printed_without_markup(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The terminal library's short codes, of which `:100:` is one, do not change a line number."""
    folder = Path(shutil.copytree(CENTRE, tmp_path / "centre"))
    lines = (folder / "procedures.csv").read_text(encoding="utf-8").splitlines()
    lines[99] = f"{lines[99]},"
    (folder / "procedures.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert run(monkeypatch, "check-config", str(folder)) == 1
    assert "procedures.csv:100: " in capsys.readouterr().err


def test_fault_in_the_texts_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """check-config reports faults in message texts that notify would refuse at its start."""
    folder = Path(shutil.copytree(CENTRE, tmp_path / "centre"))
    texts = folder / "messages" / "0001.toml"
    texts.write_text(texts.read_text(encoding="utf-8").replace("{hotline}", "{hotlin}"), encoding="utf-8")
    assert run(monkeypatch, "check-config", str(folder)) == 1
    assert "Unknown placeholder {hotlin}" in capsys.readouterr().err


def test_operating_system_error_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A file that cannot be read ends with status 3 and its path, without a traceback."""
    (tmp_path / "inbox" / "sms.jsonl").mkdir(parents=True)
    monkeypatch.setenv("MOTCUA_HOME", str(tmp_path))
    assert run(monkeypatch, "inbox") == 3
    message = capsys.readouterr().err
    assert f"'{tmp_path / 'inbox' / 'sms.jsonl'}'" in message
    assert len(message.splitlines()) == 1


def test_invalid_database_url_is_reported_without_its_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An invalid setting ends with status 3 and its name; the value, which may have a password, is not shown."""
    monkeypatch.setenv("MOTCUA_DATABASE", "s3cret@somewhere")
    assert run(monkeypatch, "lag") == 3
    message = capsys.readouterr().err
    assert "MOTCUA_DATABASE" in message
    assert "s3cret" not in message


def test_command_line_does_not_import_database_drivers() -> None:
    """Importing the command loads neither database drivers nor the event contracts, which would double its start."""
    code = "import sys, motcua.__main__; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {"psycopg", "asyncpg", "aiokafka", "shared.contracts.registry"} & set(loaded.stdout.split())
