"""API keys of a local centre."""

from datetime import date
from pathlib import Path

import pytest

from motcua.local.keys import TOKENS_FILE, KeySpec, ensure_keys, key_specs, read_tokens
from shared.catalogue import load_centre
from shared.service.keys import KeyRing, new_key, read_keys, write_keys

CLERK = KeySpec("clerk-41", "clerk", counter=41)
NOTIFY = KeySpec("notify", "service", system=True)


def test_created_key_is_valid_with_its_role(tmp_path: Path) -> None:
    """The created token is valid for the key file of the services, with role and counter."""
    token = ensure_keys(tmp_path, [CLERK])["clerk-41"]
    principal = KeyRing(tmp_path / "keys.toml").principal(token)
    assert principal is not None
    assert (principal.actor.role, principal.actor.counter) == ("clerk", 41)


def test_second_start_keeps_the_keys(tmp_path: Path) -> None:
    """Keys do not change at the next start."""
    assert ensure_keys(tmp_path, [CLERK, NOTIFY]) == ensure_keys(tmp_path, [CLERK, NOTIFY])


def test_additional_key_keeps_the_others(tmp_path: Path) -> None:
    """A key for a new department's officer does not change other keys."""
    before = ensure_keys(tmp_path, [CLERK])
    after = ensure_keys(tmp_path, [CLERK, KeySpec("officer-STP", "officer", department="STP")])
    assert after["clerk-41"] == before["clerk-41"]
    assert KeyRing(tmp_path / "keys.toml").principal(after["officer-STP"]) is not None


def test_entry_added_by_hand_stays(tmp_path: Path) -> None:
    """An entry that an operator added to the key file is not removed."""
    _, entry = new_key("portal", "service", kind="system")
    write_keys(tmp_path / "keys.toml", [entry])
    ensure_keys(tmp_path, [CLERK])
    assert {key.id for key in read_keys(tmp_path / "keys.toml")} == {"portal", "clerk-41"}


def test_lost_token_is_replaced_and_becomes_invalid(tmp_path: Path) -> None:
    """Only hashes are stored, so a lost token is replaced, and the old one is no longer valid."""
    lost = ensure_keys(tmp_path, [CLERK])["clerk-41"]
    (tmp_path / TOKENS_FILE).unlink()
    fresh = ensure_keys(tmp_path, [CLERK])["clerk-41"]
    ring = KeyRing(tmp_path / "keys.toml")
    assert ring.principal(lost) is None
    assert ring.principal(fresh) is not None


@pytest.mark.parametrize("name", ["keys.toml", TOKENS_FILE, "tokens/notify"])
def test_key_files_are_readable_only_by_their_owner(tmp_path: Path, name: str) -> None:
    """Hashes and tokens are not readable for other accounts of the machine."""
    ensure_keys(tmp_path, [CLERK, NOTIFY])
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_tokens_file_has_one_variable_per_key(tmp_path: Path) -> None:
    """A shell can source the file: `$CLERK_41`."""
    tokens = ensure_keys(tmp_path, [CLERK])
    assert read_tokens(tmp_path) == {"CLERK_41": tokens["clerk-41"]}


def test_every_department_has_an_officer_and_a_clerk() -> None:
    """The default centre has keys for its 19 departments and its general counter."""
    specs = key_specs(load_centre(Path("config/binh-phuoc")), date(2026, 11, 23))
    assert len({key.department for key in specs if key.role == "officer"}) == 19
    assert len([key for key in specs if key.role == "clerk"]) == 20
    assert len({key.variable for key in specs}) == len(specs)
