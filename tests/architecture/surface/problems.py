"""Refusals: the slug and HTTP status of each problem in the source, and the members of a problem document."""

import ast
import re
from collections.abc import Iterator

from shared.runtime import problems
from tests.architecture.surface.names import members
from tests.architecture.tree import ROOT, parsed, sources

_REFUSAL, _STATUS = "ExpectedError", 409
"""The exception whose first argument is the slug, and its default status."""
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COMPUTED = {"phrase.lower().replace(' ', '-')"}
"""Slugs computed at run time: the framework's own refusals, named by the phrase of their status."""


def collect() -> Iterator[str]:
    """Yield slugs with statuses and extra members, and the members of the problem document."""
    for path in sources("shared", "services"):
        constants = {
            target.id: node.value
            for node in parsed(path).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and node.args and _name(node.func) == _REFUSAL:
                yield from _refusal(node, constants, f"{path.relative_to(ROOT)}:{node.lineno}")
            elif isinstance(node, ast.FunctionDef) and node.args.args and node.args.args[0].arg == "slug":
                yield from _handed_on(node, parsed(path), constants)
    yield from members(problems.Problem.model_json_schema(), "document ")
    yield f"media type {problems.MEDIA_TYPE}"
    yield f"type {problems.document(problems.invalid([]))['type'].removesuffix('invalid-content')}<slug>"


def _refusal(call: ast.Call, constants: dict[str, ast.expr], place: str) -> Iterator[str]:
    words = {word.arg: word.value for word in call.keywords}
    slugs, statuses = _values(call.args[0], constants), _values(words.get("status"), constants) or [_STATUS]
    if not slugs and not isinstance(call.args[0], ast.Name) and ast.unparse(call.args[0]) not in _COMPUTED:
        raise AssertionError(f"{place}: cannot determine the slug {ast.unparse(call.args[0])}: extend {__name__}")
    for slug, status in zip(slugs, statuses * (len(slugs) if len(statuses) == 1 else 1), strict=True):
        yield f"{slug} {status}"
        if isinstance(more := words.get("more"), ast.Dict):
            yield from (f"{slug} {status} .{ast.literal_eval(key)}" for key in more.keys if key)


def _handed_on(function: ast.FunctionDef, tree: ast.Module, constants: dict[str, ast.expr]) -> Iterator[str]:
    """Yield the slugs passed to a helper function of this file, with the status that the helper sets."""
    inner = [node for node in ast.walk(function) if isinstance(node, ast.Call) and _name(node.func) == _REFUSAL]
    for call in inner:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and _name(node.func) == function.name:
                merged = ast.Call(call.func, node.args, call.keywords)
                yield from _refusal(merged, constants, function.name)


def _values(node: ast.expr | None, constants: dict[str, ast.expr]) -> list[str | int]:
    """Return the constants that an expression may evaluate to."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int):
        assert not isinstance(node.value, str) or _SLUG.fullmatch(node.value), node.value
        return [node.value]
    if isinstance(node, ast.Name) and node.id in constants:
        return _values(constants[node.id], {})
    if isinstance(node, ast.IfExp):
        return [*_values(node.body, constants), *_values(node.orelse, constants)]
    return []


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
