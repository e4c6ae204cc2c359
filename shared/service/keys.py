"""API keys: they identify the caller. Only their hashes are stored, in one file that every service reads.

A key is 32 random bytes and cannot be guessed from its hash, so one SHA-256 is enough. A slow hash such as bcrypt
protects secrets that people choose, and would cost 50 ms per request.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.contracts.envelope import Actor
from shared.kernel.errors import ForbiddenError, StartError
from shared.kernel.vocabulary import Role
from shared.runtime import toml
from shared.runtime.clock import machine_now
from shared.runtime.validation import describe_error
from shared.service.errors import UnauthorizedError

KEYS_RELOADED = "keys_reloaded"
KEYS_UNREADABLE = "keys_unreadable"

_log = structlog.get_logger(__name__)


class ApiKey(BaseModel):
    """One entry of the keys file: the owner's id and rights, and the hash of the key.

    From `valid_to` (machine time) on, the key is invalid; None means without end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    role: Role
    kind: Literal["person", "system"] = "person"
    department: str | None = None
    counter: int | None = Field(default=None, ge=1)
    valid_to: AwareDatetime | None = None

    @model_validator(mode="after")
    def _complete(self) -> "ApiKey":
        if self.role == "clerk" and self.counter is None:
            raise ValueError("a clerk's key needs its counter")
        if self.role == "officer" and self.department is None:
            raise ValueError("an officer's key needs its department")
        return self


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller of a request, as the entry of the API key describes it."""

    actor: Actor


class KeyRing:
    """The valid API keys, from the keys file. A change of the file takes effect at the next request.

    Creating it raises StartError if the file is faulty. If the file becomes faulty later, the last valid keys remain in
    force and the service is not ready until the file is corrected: a typing error must not close the centre.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = machine_now) -> None:
        self._path = path
        self._now = now
        self._version = self._file_version()
        self._keys = read_keys(path)
        self._fault: str | None = None

    def principal(self, token: str) -> Principal | None:
        """Return the owner of the key `token`; None if the key is unknown or no longer valid.

        Reads the file again first if it has changed.
        """
        self._refresh()
        digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        found: ApiKey | None = None
        for key in self._keys:  # all keys, each in constant time: the duration reveals nothing
            if hmac.compare_digest(key.sha256, digest):
                found = key
        if found is None or (found.valid_to is not None and self._now() >= found.valid_to):
            return None
        return Principal(
            Actor(kind=found.kind, id=found.id, role=found.role, department=found.department, counter=found.counter)
        )

    def reason_not_ready(self) -> str | None:
        """Return why the changed keys file is not in force; None if the last read succeeded.

        Reads the file again first if it has changed.
        """
        self._refresh()
        return self._fault

    def _refresh(self) -> None:
        version = self._file_version()
        if version == self._version:
            return
        self._version = version
        try:
            self._keys = read_keys(self._path)
        except StartError as error:
            self._fault = str(error)
            _log.error(KEYS_UNREADABLE, why=self._fault)
        else:
            self._fault = None
            _log.info(KEYS_RELOADED, count=len(self._keys))

    def _file_version(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """Return the entries of a keys file. Raises StartError, for faulty entries with every fault. Blocks on the disk."""
    try:
        content = toml.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StartError(f"keys file {path}: no such file. `motcua prepare` writes one.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"keys file {path}: {error}") from error
    except toml.NotTomlError as error:  # without the line's text, which may be a key pasted by mistake
        raise StartError(f"keys file {path}:{error.line}: not TOML: {error.why}") from None
    entries = content.get("keys")
    if set(content) != {"keys"} or not isinstance(entries, list):
        raise StartError(f"keys file {path}: only [[keys]] entries are allowed")
    keys: list[ApiKey] = []
    faults: list[str] = []
    for number, entry in enumerate(entries, start=1):
        try:
            keys.append(ApiKey.model_validate(entry))
        except ValidationError as error:
            faults += [
                f"entry {number}: {''.join(f'{part}: ' for part in fault['loc'])}{describe_error(fault)}"
                for fault in error.errors(include_input=False)
            ]
    for what, values in (("id", [key.id for key in keys]), ("sha256", [key.sha256 for key in keys])):
        faults += [f"two entries have the {what} {value}" for value in sorted(set(values)) if values.count(value) > 1]
    if faults:
        raise StartError(f"keys file {path}: {'; '.join(faults)}")
    return tuple(keys)


def new_key(key_id: str, role: Role, **fields: Any) -> tuple[str, ApiKey]:
    """Generate a key. Return its token, for the owner, and its entry for the keys file, which contains only the hash.

    Nothing is stored. Secret scanners recognise the token's prefix.
    """
    token = "motcua_" + secrets.token_urlsafe(32)
    return token, ApiKey(id=key_id, sha256=hashlib.sha256(token.encode()).hexdigest(), role=role, **fields)


def write_keys(path: Path, keys: Sequence[ApiKey]) -> None:
    """Replace the keys file by one with exactly these keys, atomically. Blocks on the disk.

    Only the file's owner can read the new file.
    """
    lines = ["# Hashes of API keys. Remove an entry, or set valid_to, to revoke its key at the next request.", ""]
    for key in keys:
        lines.append("[[keys]]")
        for field, value in key.model_dump(exclude_none=True).items():
            # every text matches a pattern or a list of words, except the department's code
            text = value.isoformat() if isinstance(value, datetime) else value
            lines.append(f"{field} = {text}" if isinstance(value, (int, datetime)) else f'{field} = "{_escaped(text)}"')
        lines.append("")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    draft.replace(path)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


_bearer = HTTPBearer(auto_error=False, description="An API key of this centre.")


async def principal(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """FastAPI dependency that returns the caller. Raises UnauthorizedError for a missing, unknown or expired key."""
    ring: KeyRing = request.app.state.keys
    who = ring.principal(credentials.credentials) if credentials is not None else None
    if who is None:
        raise UnauthorizedError
    structlog.contextvars.bind_contextvars(actor=who.actor.id)
    return who


Caller = Annotated[Principal, Depends(principal)]
"""The caller of a route that accepts every valid key."""


def require(*roles: Role) -> Callable[[Principal], Awaitable[Principal]]:
    """Return a FastAPI dependency that returns the caller, and raises ForbiddenError unless the role is one of `roles`.

    Use: `who: Annotated[Principal, Depends(require("clerk", "officer"))]`.
    """

    async def checked(who: Caller) -> Principal:
        if who.actor.role not in roles:
            raise ForbiddenError(f"The role {who.actor.role} does not allow this.", allowed=sorted(roles))
        return who

    return checked
