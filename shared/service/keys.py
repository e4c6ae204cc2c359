"""API keys: who a caller is. Only hashes are kept, in one file that every service reads.

A key is 32 random bytes, so nobody can guess it from its hash: one SHA-256 is enough, where a slow hash (bcrypt)
would protect only secrets that people choose, at 50 ms of every request.
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

from shared.contracts.envelope import Actor, Role
from shared.kernel.errors import ExpectedError, StartError
from shared.runtime import toml
from shared.runtime.clock import machine_now
from shared.runtime.validation import sentence

KEYS_RELOADED = "keys_reloaded"
KEYS_UNREADABLE = "keys_unreadable"

_log = structlog.get_logger(__name__)


class ApiKey(BaseModel):
    """One entry of the file: whose key it is and until when it holds (machine time, excluded)."""

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
            raise ValueError("a clerk's key names its counter")
        if self.role == "officer" and self.department is None:
            raise ValueError("an officer's key names its department")
        return self


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller, as the key's entry says."""

    actor: Actor


class KeyRing:
    """The keys of the file as it stands now: a change of the file takes effect at the next request.

    A file that cannot be read at start raises StartError; one that breaks later leaves the last readable keys in
    force, since a slip of the pen must not close the centre, and makes the service not ready until it is mended.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = machine_now) -> None:
        self._path = path
        self._now = now
        self._stamp = self._stamp_of_file()
        self._keys = read_keys(path)
        self._fault: str | None = None

    def principal(self, token: str) -> Principal | None:
        """Whose key this is; None for one that is unknown or no longer valid. Reads the file if it changed."""
        self._refresh()
        digest = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        found: ApiKey | None = None
        for key in self._keys:  # all of them, each in constant time: nothing is learnt from how long it took
            if hmac.compare_digest(key.sha256, digest):
                found = key
        if found is None or (found.valid_to is not None and self._now() >= found.valid_to):
            return None
        return Principal(
            Actor(kind=found.kind, id=found.id, role=found.role, department=found.department, counter=found.counter)
        )

    def reason_not_ready(self) -> str | None:
        """A check for readiness: why the file, as it stands, is not in force."""
        self._refresh()
        return self._fault

    def _refresh(self) -> None:
        stamp = self._stamp_of_file()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._keys = read_keys(self._path)
        except StartError as error:
            self._fault = str(error)
            _log.error(KEYS_UNREADABLE, why=self._fault)
        else:
            self._fault = None
            _log.info(KEYS_RELOADED, count=len(self._keys))

    def _stamp_of_file(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """The entries of a keys file; raises StartError with every fault that it finds."""
    try:
        content = toml.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StartError(f"keys file {path}: there is no such file; `motcua prepare` writes one") from error
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"keys file {path}: {error}") from error
    except toml.NotTomlError as error:  # without the line's words, which may be a key pasted in by mistake
        raise StartError(f"keys file {path}:{error.line}: not TOML: {error.why}") from None
    entries = content.get("keys")
    if set(content) != {"keys"} or not isinstance(entries, list):
        raise StartError(f"keys file {path}: expected nothing but [[keys]] entries")
    keys: list[ApiKey] = []
    faults: list[str] = []
    for number, entry in enumerate(entries, start=1):
        try:
            keys.append(ApiKey.model_validate(entry))
        except ValidationError as error:
            faults += [
                f"entry {number}: {''.join(f'{part}: ' for part in fault['loc'])}{sentence(fault)}"
                for fault in error.errors(include_input=False)
            ]
    for what, values in (("id", [key.id for key in keys]), ("sha256", [key.sha256 for key in keys])):
        faults += [f"two entries have the {what} {value}" for value in sorted(set(values)) if values.count(value) > 1]
    if faults:
        raise StartError(f"keys file {path}: {'; '.join(faults)}")
    return tuple(keys)


def new_key(key_id: str, role: Role, **fields: Any) -> tuple[str, ApiKey]:
    """A fresh key: the token to hand out once, and the entry for the file. The prefix lets scanners find a leak."""
    token = "motcua_" + secrets.token_urlsafe(32)
    return token, ApiKey(id=key_id, sha256=hashlib.sha256(token.encode()).hexdigest(), role=role, **fields)


def write_keys(path: Path, keys: Sequence[ApiKey]) -> None:
    """Replace the keys file in one step, readable by its owner alone."""
    lines = ["# Hashes of API keys. A removed entry, or a valid_to in the past, ends its key at the next request.", ""]
    for key in keys:
        lines.append("[[keys]]")
        for field, value in key.model_dump(exclude_none=True).items():
            # every text was checked against a pattern or a list of words, save the department's code
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
    """FastAPI dependency: who calls. Raises Refusal (401) for a missing, unknown or expired key."""
    ring: KeyRing = request.app.state.keys
    who = ring.principal(credentials.credentials) if credentials is not None else None
    if who is None:
        raise ExpectedError("unauthorized", "send a valid API key: Authorization: Bearer …", status=401)
    structlog.contextvars.bind_contextvars(actor=who.actor.id)
    return who


Caller = Annotated[Principal, Depends(principal)]
"""The type of a handler's argument that any valid key may fill."""


def require(*roles: Role) -> Callable[[Principal], Awaitable[Principal]]:
    """FastAPI dependency: the caller, who must have one of `roles`; anybody else is refused with 403.

    Use: `who: Annotated[Principal, Depends(require("clerk", "officer"))]`.
    """

    async def checked(who: Caller) -> Principal:
        if who.actor.role not in roles:
            raise ExpectedError(
                "forbidden", f"the role {who.actor.role} may not do this", status=403, allowed=sorted(roles)
            )
        return who

    return checked
