"""API keys of a local centre: made once, hashes in the file that the services read, the keys themselves beside it."""

import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from shared.contracts.envelope import Role
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.service.keys import ApiKey, new_key, read_keys, write_keys

KEYS_FILE = "keys.toml"
TOKENS_FILE = "api-keys.env"
RECEIPTS = "receipts"
"""The secret that the SMS provider presents with its receipts: no API key, since it opens nothing else."""
IMPORTER = "importer"
"""The key that plays a past: of a set centre alone."""
_LINE = re.compile(r"^([A-Z0-9_]+)=(\S+)$")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key that the centre needs; `id` is its entry's name, and in capitals the variable that holds the key."""

    id: str
    role: Role
    department: str | None = None
    counter: int | None = None
    system: bool = False

    @property
    def variable(self) -> str:
        """Its name in the tokens file."""
        return re.sub(r"[^A-Z0-9]", "_", self.id.upper())


def keys_of(centre: Centre, on: date) -> list[Wanted]:
    """One clerk for the first counter of each department and for each general counter, one officer a department, a
    leader, an operator, an auditor, the portal that submits online, and the services that call others."""
    counters = [
        numbers[0] for d in centre.departments_on(on) if (numbers := centre.counters_on(on, "department", d.code))
    ]
    counters += centre.counters_on(on, "general")
    wanted = [Wanted(f"clerk-{number}", "clerk", counter=number) for number in sorted(counters)]
    wanted += [Wanted(f"officer-{d.code}", "officer", department=d.code) for d in centre.departments_on(on)]
    wanted += [Wanted("leader", "leader"), Wanted("ops", "ops"), Wanted("auditor", "auditor")]
    return [*wanted, Wanted("portal", "applicant", system=True), Wanted("notify", "service", system=True)]


def ensure_keys(home: Path, wanted: Iterable[Wanted]) -> dict[str, str]:
    """Make the keys that are missing, keep those that are there, and answer the tokens by id.

    An entry of somebody else in the keys file stays. A key whose token was lost is made anew and the old one ends.
    Raises StartError when the keys file cannot be read.
    """
    wanted = tuple(wanted)
    path = home / KEYS_FILE
    entries = {entry.id: entry for entry in read_keys(path)} if path.exists() else {}
    known = read_tokens(home)
    tokens: dict[str, str] = {}
    changed = False
    for wish in wanted:
        token, entry = known.get(wish.variable), entries.get(wish.id)
        if token is None or entry is None or entry.sha256 != sha256(token.encode()).hexdigest():
            token, entries[wish.id] = _made(wish)
            changed = True
        tokens[wish.id] = token
    if changed:
        write_keys(path, list(entries.values()))
        _write_private(
            home / TOKENS_FILE,
            "# Keys of this local centre, for a shell: `. api-keys.env`. Whoever has this file may act as anybody.\n"
            + "".join(f"{wish.variable}={tokens[wish.id]}\n" for wish in wanted),
        )
    for wish in wanted:
        if wish.system:
            _write_private(home / "tokens" / wish.id, tokens[wish.id])
    if not (home / "tokens" / RECEIPTS).exists():
        _write_private(home / "tokens" / RECEIPTS, secrets.token_urlsafe(32))
    return tokens


def read_tokens(home: Path) -> dict[str, str]:
    """The tokens by variable; nothing if the file is not there. Raises StartError for one that is not ours."""
    try:
        lines = (home / TOKENS_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{home / TOKENS_FILE}: {error}; remove it to have the keys made anew") from error
    return {match[1]: match[2] for line in lines if (match := _LINE.match(line))}


def _made(wish: Wanted) -> tuple[str, ApiKey]:
    return new_key(
        wish.id,
        wish.role,
        kind="system" if wish.system else "person",
        department=wish.department,
        counter=wish.counter,
    )


def _write_private(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    draft.replace(path)
