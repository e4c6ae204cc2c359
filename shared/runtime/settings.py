"""Settings: read from the environment and validated once at start, then passed as values.

No other module reads the environment.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kernel.clock import ClockKind
from shared.kernel.errors import StartError
from shared.kernel.words import did_you_mean
from shared.runtime.validation import describe_error

_FORMER_CLOCK_KINDS = {"real": "system", "set": "simulated"}


def _reject_former_kind(value: object) -> object:
    if isinstance(value, str) and value in _FORMER_CLOCK_KINDS:
        raise ValueError(f"this kind of clock is now named {_FORMER_CLOCK_KINDS[value]}")
    return value


ClockSetting = Annotated[ClockKind, BeforeValidator(_reject_former_kind)]
"""The kind of the centre's clock. A name of an earlier release is rejected with the present name."""


class Settings(BaseSettings):
    """Base class of a group of settings, which are read from environment variables with a prefix.

    A subclass sets the prefix: `model_config = SettingsConfigDict(env_prefix="SLA_")`.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=True)


class ServiceSettings(Settings):
    """The settings of every service.

    `database_url` is an asyncpg DSN whose role owns the service's schema. `member` is the group instance id of the
    consumer, different for each replica. Defaults fit one machine. Seconds are machine time.
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
    """Whether the centre's clock follows the machine's time or a client advances it; fixed at the first start."""
    clock_starts_at: AwareDatetime | None = None
    """A simulated clock's first instant; required at its first start, ignored later."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    stop_seconds: float = Field(default=10.0, gt=0)
    """How long each part may take to stop, before the process ends without it."""
    stall_seconds: float = Field(default=60.0, gt=0)
    """The process ends after this time without progress, if there is lag and broker and database answer."""


S = TypeVar("S", bound=Settings)


def load(settings: type[S]) -> S:
    """Read the settings of the class `settings` from the environment, and return them validated.

    Raises StartError with the name of every missing, invalid or unknown variable with the class's prefix. The message
    never contains a value, since a DSN contains a password.
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
            faults.append(
                f"{variable} is not set" if fault["type"] == "missing" else f"{variable}: {describe_error(fault)}"
            )
        raise StartError("; ".join(faults)) from None
    if faults:
        raise StartError("; ".join(faults))
    return loaded


def inherited_environment() -> dict[str, str]:
    """A copy of this process's environment, for child processes."""
    return dict(os.environ)


def java_home() -> Path | None:
    """The folder of the Java runtime that the environment variable JAVA_HOME names; None if the variable is not set."""
    named = os.environ.get("JAVA_HOME")
    return Path(named) if named else None


def user_cache() -> Path:
    """The user's cache folder: XDG_CACHE_HOME, or ~/.cache by default (XDG Base Directory Specification)."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return named if named.is_absolute() else Path(os.path.expanduser("~"), ".cache")
