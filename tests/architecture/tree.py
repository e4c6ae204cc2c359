"""Access to the source tree for the architecture tests."""

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")

SERVICES = ("intake", "routing", "sla", "notify", "ops")


def sources(*folders: str) -> Iterator[Path]:
    """All Python files below these folders."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a source file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def names(path: Path) -> set[str]:
    """All names that a file uses, including attributes."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def texts(path: Path) -> set[str]:
    """All string constants of a file, including the parts of f-strings."""
    return {node.value for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant) and type(node.value) is str}


def called(path: Path) -> set[str]:
    """The names of all calls in a file: `a.b.C(...)` gives C."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                found.add(node.func.id)
            elif isinstance(node.func, ast.Attribute):
                found.add(node.func.attr)
    return found


def imported(path: Path) -> set[str]:
    """The dotted names of all modules and members that a file imports."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def subclasses(base: type[T], *folders: str) -> list[type[T]]:
    """Every subclass of `base` that an `errors.py` below these folders defines, by name."""
    for path in sources(*folders):
        if path.name == "errors.py":
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    found: list[type[T]] = []
    pending = [base]
    while pending:
        for kind in pending.pop().__subclasses__():
            pending.append(kind)
            if kind.__module__.startswith(tuple(f"{folder}." for folder in folders)):
                found.append(kind)
    return sorted(found, key=lambda kind: kind.__name__)
