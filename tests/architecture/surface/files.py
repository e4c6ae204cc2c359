"""Files: a centre's folder, mappings of event logs, the file of API keys, and the contents of `MOTCUA_HOME`."""

import ast
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from motcua.lab.scenarios.event_log.mapping import LogMapping
from motcua.local.sinks.inbox import InboxMessage
from services.intake.dossiers.registry import ACTS
from shared.service.keys import ApiKey
from tests.architecture.surface.command import run
from tests.architecture.surface.names import members
from tests.architecture.tree import ROOT, parsed, sources

_CENTRE = ROOT / "config/binh-phuoc"
"""It has every file that a centre may have, and the loader rejects missing and unknown columns and keys."""
_WORDS = re.compile(r"^\s*(\S+?)(?::\d+)?: (\w+): .*'\?'.*?([\w-]+(?:, [\w-]+)+)\.?$", re.MULTILINE)
_PLACEHOLDERS = re.compile(r"^\s*\S+: ([\w.]+): .*\{nothing\}.*?(\w+(?:, \w+)*)\.?$", re.MULTILINE)
"""File, key and final list of a fault, independent of its wording."""


def collect_config() -> Iterator[str]:
    """Yield names of files, columns and keys, enumerated values of columns, and placeholders of texts.

    Values and placeholders are read from the faults that `motcua check-config` reports for unknown ones.
    """
    for path in (path for path in sorted(_CENTRE.rglob("*")) if path.is_file()):
        name = _named(str(path.relative_to(_CENTRE)))
        yield name
        if path.suffix == ".csv":
            yield from (f"{name} {column}" for column in _columns(path))
        else:
            yield from _keys(tomllib.loads(path.read_text(encoding="utf-8")), f"{name} ")
    yield from {re.sub(r".*(mapping\.toml)", r"*\1", path.name) for path in (ROOT / "config").glob("*/*mapping.toml")}
    found = _checked({"centre.toml": _with_ends})
    if not found:  # no fault, so every key in it is known
        ended = _with_ends((_CENTRE / "centre.toml").read_text(encoding="utf-8"))
        yield from _keys(tomllib.loads(ended), "centre.toml ")
    for name, column, words in _WORDS.findall(_checked({"**/*.csv": _with_unknown_words})):
        if column != "invented":  # its values are column names
            yield from (f"{_named(name)} {column} = {word}" for word in words.split(", "))
    for key, names in _PLACEHOLDERS.findall(_checked({"messages/*.toml": _with_unknown_placeholders})):
        template = key if key.startswith("phrases") else key.split(".")[0]
        yield from (f"messages/*.toml .{template} {{{name}}}" for name in names.split(", "))


def _checked(changes: Mapping[str, Callable[[str], str]]) -> str:
    """Return the faults that `motcua check-config` reports for a changed copy of the centre."""
    with tempfile.TemporaryDirectory() as folder:
        centre = Path(shutil.copytree(_CENTRE, Path(folder) / "centre"))
        for pattern, change in changes.items():
            for path in centre.glob(pattern):
                path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
        return run("check-config", str(centre))[2]


def _with_ends(settings: str) -> str:
    """End each dated section and repeat it from the next day on."""
    first, *sections = re.split(r"(?m)^(?=\[\[)", settings)
    later = (re.sub(r"(?m)^valid_from = .*", "valid_from = 2031-01-01", section) for section in sections)
    both = zip(sections, later, strict=True)
    return first + "".join(f"{section}\nvalid_to = 2030-12-31\n{following}" for section, following in both)


def _with_unknown_words(table: str) -> str:
    return table + ",".join("?" for _ in table.splitlines()[0].split(",")) + "\n"


def _with_unknown_placeholders(texts: str) -> str:
    return re.sub(r'= ("""|")', r"= \1{nothing}", texts)


def collect_mapping() -> Iterator[str]:
    """Yield the keys of a mapping (docs/replay.md), their enumerated values, and the acts that a row may become."""
    yield from members(LogMapping.model_json_schema(), request=True)
    for act in ACTS:
        try:
            LogMapping.model_validate({"acts": {"any": {"act": act}}})
        except ValueError as error:
            if "acts.any.act" not in str(error):
                yield f".acts{{}}.act = {act}"


def collect_keys() -> Iterator[str]:
    """Yield the members of an entry in the file of API keys."""
    yield from members(ApiKey.model_json_schema(), "[[keys]] ", request=True)


def collect_home() -> Iterator[str]:
    """Yield the names directly below `MOTCUA_HOME`, the variables of api-keys.env, and the members of inbox lines."""
    for path in sources("motcua"):
        constants = dict(_constants(parsed(path)))
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _is_home(node.left):
                name = node.right.value if isinstance(node.right, ast.Constant) else None
                if isinstance(node.right, ast.Name):
                    name = constants.get(node.right.id)
                if isinstance(name, str):
                    yield name
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "KeySpec":
                key = constants.get(ast.unparse(node.args[0]), ast.unparse(node.args[0]))
                variable = re.sub(r"\{.*\}", "*", key.removeprefix("f").strip("'")).upper()
                yield f"api-keys.env {variable.replace('-', '_')}"
    yield from (f"inbox/*.jsonl .{field.name}" for field in fields(InboxMessage))


def _is_home(node: ast.expr) -> bool:
    return "home" in (getattr(node, "id", ""), getattr(node, "attr", ""))


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            yield from ((target.id, str(node.value.value)) for target in node.targets if isinstance(target, ast.Name))


def _named(path: str) -> str:
    """Return the file's name, as a pattern where the centre chooses the name."""
    return re.sub(r"^(calendars|messages)/[^/]+\.", r"\1/*.", path)


def _columns(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()[0].split(",")


def _keys(document: Mapping[str, Any], at: str = "") -> Iterator[str]:
    for key, value in document.items():
        yield f"{at}.{key}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{at}.{key}")
        elif isinstance(value, list):
            for entry in (one for one in value if isinstance(one, Mapping)):
                yield from _keys(entry, f"{at}.{key}[]")
