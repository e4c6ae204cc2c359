"""Keys of a local centre are made once and kept."""

from datetime import date
from pathlib import Path

import pytest

from motcua.local.keys import TOKENS_FILE, KeySpec, ensure_keys, keys_of, read_tokens
from shared.catalogue import load_centre
from shared.service.keys import KeyRing, new_key, read_keys, write_keys

CLERK = KeySpec("clerk-41", "clerk", counter=41)
NOTIFY = KeySpec("notify", "service", system=True)


def test_a_made_key_opens_its_own_entry(tmp_path: Path) -> None:
    """The token that is handed out is the one that the services' key file knows, with role and counter."""
    token = ensure_keys(tmp_path, [CLERK])["clerk-41"]
    principal = KeyRing(tmp_path / "keys.toml").principal(token)
    assert principal is not None
    assert (principal.actor.role, principal.actor.counter) == ("clerk", 41)


def test_a_second_start_keeps_the_keys(tmp_path: Path) -> None:
    """Whoever wrote a key down can go on using it."""
    assert ensure_keys(tmp_path, [CLERK, NOTIFY]) == ensure_keys(tmp_path, [CLERK, NOTIFY])


def test_a_further_key_leaves_the_others(tmp_path: Path) -> None:
    """A new department's officer gets a key; nobody else's changes."""
    before = ensure_keys(tmp_path, [CLERK])
    after = ensure_keys(tmp_path, [CLERK, KeySpec("officer-STP", "officer", department="STP")])
    assert after["clerk-41"] == before["clerk-41"]
    assert KeyRing(tmp_path / "keys.toml").principal(after["officer-STP"]) is not None


def test_an_entry_of_somebody_else_stays(tmp_path: Path) -> None:
    """What an operator added to the file by hand is not removed."""
    _, entry = new_key("portal", "service", kind="system")
    write_keys(tmp_path / "keys.toml", [entry])
    ensure_keys(tmp_path, [CLERK])
    assert {key.id for key in read_keys(tmp_path / "keys.toml")} == {"portal", "clerk-41"}


def test_a_lost_token_is_replaced_and_its_key_ends(tmp_path: Path) -> None:
    """Only a hash is kept, so a lost key cannot be told again: a new one takes its place."""
    lost = ensure_keys(tmp_path, [CLERK])["clerk-41"]
    (tmp_path / TOKENS_FILE).unlink()
    fresh = ensure_keys(tmp_path, [CLERK])["clerk-41"]
    ring = KeyRing(tmp_path / "keys.toml")
    assert ring.principal(lost) is None
    assert ring.principal(fresh) is not None


@pytest.mark.parametrize("name", ["keys.toml", TOKENS_FILE, "tokens/notify"])
def test_only_the_owner_reads_the_files(tmp_path: Path, name: str) -> None:
    """Neither hashes nor tokens are for other accounts of the machine."""
    ensure_keys(tmp_path, [CLERK, NOTIFY])
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_the_tokens_file_names_each_key_as_a_variable(tmp_path: Path) -> None:
    """A shell can source it: `$CLERK_41`."""
    tokens = ensure_keys(tmp_path, [CLERK])
    assert read_tokens(tmp_path) == {"CLERK_41": tokens["clerk-41"]}


def test_every_department_has_an_officer_and_a_clerk() -> None:
    """The default centre's 19 departments and its general counter can all act."""
    wanted = keys_of(load_centre(Path("config/binh-phuoc")), date(2026, 11, 23))
    assert len({key.department for key in wanted if key.role == "officer"}) == 19
    assert len([key for key in wanted if key.role == "clerk"]) == 20
    assert len({key.variable for key in wanted}) == len(wanted)
