"""Settings: validated once at start and passed on as values. Nothing else in the house reads the environment."""

import os
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kernel.clock import ClockKind
from shared.kernel.errors import StartError
from shared.kernel.words import did_you_mean
from shared.runtime.validation import sentence

_FORMER_CLOCK_KINDS = {"real": "system", "set": "simulated"}


def _refuse_former_kind(value: object) -> object:
    if isinstance(value, str) and value in _FORMER_CLOCK_KINDS:
        raise ValueError(f"this kind of clock is now called {_FORMER_CLOCK_KINDS[value]}")
    return value


ClockSetting = Annotated[ClockKind, BeforeValidator(_refuse_former_kind)]
"""The kind of the centre's clock; the names of earlier releases are refused with the present name."""


class Settings(BaseSettings):
    """A group of settings; a subclass names its prefix: `model_config = SettingsConfigDict(env_prefix="SLA_")`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=True)


class ServiceSettings(Settings):
    """What every service needs to know before it starts.

    `database_url` is an asyncpg DSN whose role owns the service's schema. `member` is the stable group instance id:
    two replicas never share one. Ports and folders are those of one machine unless set. Seconds are machine time.
    """

    kafka_bootstrap: str = Field(min_length=1)
    database_url: str = Field(min_length=1, repr=False)
    member: str = Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")
    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    centre: Path = Path("config/binh-phuoc")
    keys_file: Path
    epoch: int = Field(default=1, ge=1)
    clock: ClockSetting = "system"
    """Whether the centre follows the machine's time or a client advances it; fixed at the first start."""
    clock_starts_at: AwareDatetime | None = None
    """A simulated clock's first instant; required at its first start, ignored later."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    stop_seconds: float = Field(default=10.0, gt=0)
    """How long an orderly stop may take before the process ends anyway."""
    stall_seconds: float = Field(default=60.0, gt=0)
    """Without progress for so long, while records wait and broker and database answer, the process ends itself."""


S = TypeVar("S", bound=Settings)


def load(settings: type[S]) -> S:
    """The settings as the environment gives them.

    Raises StartError that names every variable which is missing, wrong or unknown under the prefix. It never shows a
    value, since a DSN holds a password.
    """
    prefix = settings.model_config.get("env_prefix", "")
    known = {f"{prefix}{field}".upper() for field in settings.model_fields}
    faults = [
        f"{name} is not a setting{did_you_mean(name.upper(), known)} (known: {', '.join(sorted(known))})"
        for name in sorted(os.environ)
        if prefix and name.upper().startswith(prefix) and name.upper() not in known
    ]
    try:
        loaded = settings()
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            variable = f"{prefix}{'_'.join(str(part) for part in fault['loc'])}".upper()
            faults.append(f"{variable} is not set" if fault["type"] == "missing" else f"{variable}: {sentence(fault)}")
        raise StartError("; ".join(faults)) from None
    if faults:
        raise StartError("; ".join(faults))
    return loaded


def inherited_environment() -> dict[str, str]:
    """A copy of this process's environment, for the processes that it starts."""
    return dict(os.environ)


def java_home() -> Path | None:
    """The folder of the Java runtime that JAVA_HOME names, by which other programs find it."""
    named = os.environ.get("JAVA_HOME")
    return Path(named) if named else None


def user_cache() -> Path:
    """The user's folder for what can be downloaded again (XDG Base Directory Specification)."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return named if named.is_absolute() else Path(os.path.expanduser("~"), ".cache")
