"""Environment variables of the services and of `motcua`; services, ports and variables of the compose file."""

import importlib
import re
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic_settings import BaseSettings

from shared.runtime.settings import user_cache
from tests.architecture.surface.names import members
from tests.architecture.tree import ROOT, names, sources

_VARIABLE = re.compile(r"\$\{(\w+)")


def collect() -> Iterator[str]:
    """Yield each variable with its default or `required`, and its enumerated values."""
    for group in _groups():
        prefix = group.model_config.get("env_prefix", "")
        for name, field in group.model_fields.items():
            default = "required" if field.is_required() else f"default {_default(field)}"
            yield f"{prefix}{name.upper()} {default}"
        for line in members(group.model_json_schema()):
            if " = " in line:
                name, word = line.removeprefix(".").split(" = ")
                yield f"{prefix}{name.upper()} = {word}"
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    yield from (f"compose variable {name}" for name in _VARIABLE.findall(text))
    for name, part in yaml.safe_load(text)["services"].items():
        yield f"compose service {name}"
        yield from (f"compose service {name} port {port.rsplit(':', 1)[0]}" for port in part.get("ports", ()))


def _groups() -> Iterator[type[BaseSettings]]:
    """Yield every settings class that has a prefix."""
    for path in sources("motcua", "services", "shared"):
        if "SettingsConfigDict" in names(path):
            module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            for thing in vars(module).values():
                if isinstance(thing, type) and issubclass(thing, BaseSettings) and thing.model_config.get("env_prefix"):
                    yield thing


def _default(field: Any) -> Any:
    value = field.get_default(call_default_factory=True)
    return "none" if value is None else str(value).replace(str(user_cache()), "<user cache>")
