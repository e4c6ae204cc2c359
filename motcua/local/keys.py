"""API keys of a local centre, created once.

The services read hashes of the keys from `keys.toml`; the keys themselves (tokens) are in separate private files.
"""

import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.kernel.vocabulary import Role
from shared.service.keys import ApiKey, new_key, read_keys, write_keys

KEYS_FILE = "keys.toml"
TOKENS_FILE = "api-keys.env"
RECEIPTS = "receipts"
"""Name of the secret that the SMS provider sends with delivery receipts. It is not an API key."""
IMPORTER = "importer"
"""Id of the API key with which past acts are replayed; only a centre with a simulated clock has it."""
_LINE = re.compile(r"^([A-Z0-9_]+)=(\S+)$")


@dataclass(frozen=True, slots=True)
class KeySpec:
    """The specification of an API key that a centre needs; `id` names its entry in `keys.toml`.

    The token of a `system` key is also written to a file of its own, which the process that sends it reads.
    """

    id: str
    role: Role
    department: str | None = None
    counter: int | None = None
    system: bool = False

    @property
    def variable(self) -> str:
        """The name of the shell variable that has the token in `api-keys.env`, such as CLERK_41."""
        return re.sub(r"[^A-Z0-9]", "_", self.id.upper())


def key_specs(centre: Centre, on: date) -> list[KeySpec]:
    """Specify the API keys that a local centre needs on a date. Creates none.

    One clerk for the first counter of each department and for each general counter, one officer per department, a
    leader, an operator, an auditor, the portal that submits online, and notify, which calls intake.
    """
    counters = [
        numbers[0] for d in centre.departments_on(on) if (numbers := centre.counters_on(on, "department", d.code))
    ]
    counters += centre.counters_on(on, "general")
    specs = [KeySpec(f"clerk-{number}", "clerk", counter=number) for number in sorted(counters)]
    specs += [KeySpec(f"officer-{d.code}", "officer", department=d.code) for d in centre.departments_on(on)]
    specs += [KeySpec("leader", "leader"), KeySpec("ops", "ops"), KeySpec("auditor", "auditor")]
    return [*specs, KeySpec("portal", "applicant", system=True), KeySpec("notify", "service", system=True)]


def ensure_keys(home: Path, specs: Iterable[KeySpec]) -> dict[str, str]:
    """Create the API keys that are missing in `home`, leave existing ones, and return all tokens of `specs` by id.

    A key without its token in `api-keys.env` is replaced; the old key is then no longer valid. Keys that are not in
    `specs` remain valid, but `api-keys.env`, if it is written again, has only the tokens of `specs`. Also creates the
    secret for delivery receipts. Raises StartError if one of these files cannot be read.
    """
    specs = tuple(specs)
    path = home / KEYS_FILE
    entries = {entry.id: entry for entry in read_keys(path)} if path.exists() else {}
    known = read_tokens(home)
    tokens: dict[str, str] = {}
    changed = False
    for spec in specs:
        token, entry = known.get(spec.variable), entries.get(spec.id)
        if token is None or entry is None or entry.sha256 != sha256(token.encode()).hexdigest():
            token, entries[spec.id] = _create(spec)
            changed = True
        tokens[spec.id] = token
    if changed:
        write_keys(path, list(entries.values()))
        _write_private(
            home / TOKENS_FILE,
            "# API keys of this local centre, for a shell: `. api-keys.env`. They allow every act; protect this file.\n"
            + "".join(f"{spec.variable}={tokens[spec.id]}\n" for spec in specs),
        )
    for spec in specs:
        if spec.system:
            _write_private(home / "tokens" / spec.id, tokens[spec.id])
    if not (home / "tokens" / RECEIPTS).exists():
        _write_private(home / "tokens" / RECEIPTS, secrets.token_urlsafe(32))
    return tokens


def read_tokens(home: Path) -> dict[str, str]:
    """Read `api-keys.env`: the tokens by variable, such as CLERK_41; empty if the file is missing.

    Raises StartError if the file cannot be read.
    """
    try:
        lines = (home / TOKENS_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(
            f"{home / TOKENS_FILE} cannot be read ({error}). Remove it to have all keys replaced."
        ) from error
    return {match[1]: match[2] for line in lines if (match := _LINE.match(line))}


def _create(spec: KeySpec) -> tuple[str, ApiKey]:
    return new_key(
        spec.id,
        spec.role,
        kind="system" if spec.system else "person",
        department=spec.department,
        counter=spec.counter,
    )


def _write_private(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    draft.replace(path)
