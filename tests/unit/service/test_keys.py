"""API keys: only hashes are stored, and revoking a key needs no restart."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.kernel.errors import StartError
from shared.service.keys import KeyRing, new_key, read_keys, write_keys

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_key_identifies_its_actor(tmp_path: Path) -> None:
    """The caller follows from the entry of the key."""
    token, entry = new_key("clerk-7", "clerk", counter=7)
    write_keys(tmp_path / "keys.toml", [entry])
    who = KeyRing(tmp_path / "keys.toml").principal(token)
    assert who is not None
    assert (who.actor.id, who.actor.role, who.actor.counter, who.actor.kind) == ("clerk-7", "clerk", 7, "person")


def test_file_has_no_token_and_is_private(tmp_path: Path) -> None:
    """The file does not contain the token, and only its owner can read it."""
    path = tmp_path / "keys.toml"
    token, entry = new_key("ops", "ops")
    write_keys(path, [entry])
    assert token not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_unknown_key_has_no_principal(tmp_path: Path) -> None:
    """A token without an entry has no principal."""
    write_keys(tmp_path / "keys.toml", [new_key("ops", "ops")[1]])
    assert KeyRing(tmp_path / "keys.toml").principal("motcua_guess") is None


def test_key_is_invalid_from_valid_to_on(tmp_path: Path) -> None:
    """`valid_to` is the first instant at which the key is invalid."""
    token, entry = new_key("ops", "ops", valid_to=NOW)
    write_keys(tmp_path / "keys.toml", [entry])
    assert KeyRing(tmp_path / "keys.toml", now=lambda: NOW - timedelta(seconds=1)).principal(token) is not None
    assert KeyRing(tmp_path / "keys.toml", now=lambda: NOW).principal(token) is None


def test_changed_file_takes_effect_without_restart(tmp_path: Path) -> None:
    """Removed and added keys take effect at the next request."""
    path = tmp_path / "keys.toml"
    old, old_entry = new_key("clerk-1", "clerk", counter=1)
    new, new_entry = new_key("clerk-2", "clerk", counter=2)
    write_keys(path, [old_entry])
    ring = KeyRing(path)
    assert ring.principal(old) is not None
    write_keys(path, [new_entry])
    assert ring.principal(old) is None
    assert ring.principal(new) is not None


def test_faulty_file_leaves_the_last_keys_in_force(tmp_path: Path) -> None:
    """If the file becomes faulty, the last valid keys stay in force and the service is not ready."""
    path = tmp_path / "keys.toml"
    token, entry = new_key("ops", "ops")
    write_keys(path, [entry])
    ring = KeyRing(path)
    path.write_text("[[keys]\n")
    assert ring.principal(token) is not None
    reason = ring.reason_not_ready()
    assert reason is not None
    assert "keys.toml:1: not TOML" in reason
    write_keys(path, [entry])
    assert ring.reason_not_ready() is None


def test_written_entry_is_read_unchanged(tmp_path: Path) -> None:
    """Every field of an entry is written and read."""
    _, entry = new_key("dept.stp", "officer", department='S"TP\\', kind="system", valid_to=NOW)
    write_keys(tmp_path / "keys.toml", [entry])
    assert read_keys(tmp_path / "keys.toml") == (entry,)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "only [[keys]] entries are allowed"),
        ("x = 1", "only [[keys]] entries are allowed"),
        ('[[keys]]\nid = "a"\nsha256 = "00"\nrole = "ops"', "entry 1: sha256"),
        (f'[[keys]]\nid = "a"\nsha256 = "{"0" * 64}"\nrole = "king"', "entry 1: role"),
        (f'[[keys]]\nid = "a"\nsha256 = "{"0" * 64}"\nrole = "clerk"', "a clerk's key needs its counter"),
        (f'[[keys]]\nid = "a"\nsha256 = "{"0" * 64}"\nrole = "officer"', "an officer's key needs its department"),
        (f'[[keys]]\nid = "a"\nsha256 = "{"0" * 64}"\nrole = "ops"\nrole2 = 1', "entry 1: role2"),
        (f'[[keys]]\nid = "a"\nsha256 = "{"0" * 64}"\nrole = "ops"\n' * 2, "two entries have the id a"),
        (
            f'[[keys]]\nid = "a"\nsha256 = "{"0" * 64}"\nrole = "ops"\nvalid_to = 2026-01-01T00:00:00',
            "entry 1: valid_to",
        ),
    ],
)
def test_faulty_file_prevents_the_start(tmp_path: Path, content: str, complaint: str) -> None:
    """A faulty entry prevents the start; the error has its number."""
    path = tmp_path / "keys.toml"
    path.write_text(content)
    with pytest.raises(StartError, match="keys file") as caught:
        KeyRing(path)
    assert complaint in str(caught.value)


def test_missing_file_prevents_the_start(tmp_path: Path) -> None:
    """Without a keys file the service does not start."""
    with pytest.raises(StartError, match=r"absent\.toml"):
        KeyRing(tmp_path / "absent.toml")
