"""Extracts prose and names from the files of the tree."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.architecture.tree import ROOT

PACKAGES = ("services", "shared", "motcua", "tests")
"""Top-level folders whose subfolders are packages of their own in the baseline."""
_SKIPPED = (
    "LICENSE",
    "docs/benchmarks/",
    "requirements",
    "tests/architecture/language/",
    "tests/architecture/recorded/",
    "tests/architecture/schemas/",
    "tests/architecture/surface/",
)
_VIETNAMESE = re.compile(r"[ăâđêôơưĂÂĐÊÔƠƯ]|[\u1ea0-\u1ef9]")
_MESSAGE = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")
_SQL = re.compile(
    r"^\s*(select|insert|update|delete|with|create|alter|from|where|order by|and |or |lock|begin)\b", re.I
)


class Text(NamedTuple):
    """A piece of prose, or an identifier, with its place."""

    file: str
    line: int
    kind: str
    """`prose` or `names`."""
    text: str


def package_of(file: str) -> str:
    """The package that a file is counted under: `services.sla`, `tests.unit`, `docs`, or `root`."""
    parts = Path(file).parts
    if parts[0] in PACKAGES:
        return ".".join(parts[:2]) if len(parts) > 2 else parts[0]
    return parts[0] if len(parts) > 1 else "root"


def texts(*paths: str) -> Iterator[Text]:
    """The prose and names of the tracked files below `paths` (all: none given)."""
    listed = subprocess.run(["git", "ls-files", *paths], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for file in listed.splitlines():
        path = ROOT / file
        if file.startswith(_SKIPPED) or not path.is_file():
            continue
        if file.endswith(".py"):
            yield from _python(file, path.read_text(encoding="utf-8"))
        elif file.endswith(".md"):
            yield from _markdown(file, path.read_text(encoding="utf-8"))
        elif file.endswith((".sql", ".toml", ".yml", ".yaml", "Makefile", ".sh", "run")):
            marker = "--" if file.endswith(".sql") else "#"
            yield from _comments(file, path.read_text(encoding="utf-8"), marker)


def _python(file: str, source: str) -> Iterator[Text]:
    docstrings = set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings.add(node.lineno)
            yield from _lines(file, node.lineno, node.value.value)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield Text(file, node.lineno, "names", _snake(node.name))
            if not isinstance(node, ast.ClassDef):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                yield from (Text(file, argument.lineno, "names", argument.arg) for argument in arguments)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield Text(file, node.lineno, "names", _snake(node.id))
    yield Text(file, 1, "names", _snake(Path(file).stem))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith(("# type:", "# noqa")):
            yield from _lines(file, token.start[0], token.string.lstrip("# "))
        elif token.type == tokenize.STRING and token.start[0] not in docstrings:
            yield from _message(file, token)


def _message(file: str, token: tokenize.TokenInfo) -> Iterator[Text]:
    if _MESSAGE.search(token.string) and not _SQL.match(token.string.lstrip("rRbBfF\"'")):
        yield from _lines(file, token.start[0], token.string)


def _markdown(file: str, source: str) -> Iterator[Text]:
    code = False
    for number, line in enumerate(source.splitlines(), 1):
        if line.lstrip().startswith("```"):
            code = not code
        elif not code:
            yield from _lines(file, number, re.sub(r"`[^`]*`|\]\([^)]*\)", " ", line))


def _comments(file: str, source: str, marker: str) -> Iterator[Text]:
    for number, line in enumerate(source.splitlines(), 1):
        before, found, comment = line.partition(marker)
        if found and not before.strip():
            yield from _lines(file, number, comment)


def _lines(file: str, first: int, text: str) -> Iterator[Text]:
    """One text a line; Vietnamese is not English prose."""
    for offset, line in enumerate(text.splitlines()):
        if line.strip() and not _VIETNAMESE.search(line):
            yield Text(file, first + offset, "prose", line)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
