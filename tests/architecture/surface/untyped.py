"""Members of responses that have no response model, read from the source that builds them.

A dictionary is found by a member that only it has, so that functions and files may be renamed and moved.
Delete an entry when its response gets a model: OpenAPI then describes the same members.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tests.architecture.tree import parsed, sources, texts


def _dictionary(folder: str, mark: str, at: str = "") -> Iterator[str]:
    """Yield the members of each dictionary literal that has the member `mark`, nested ones included."""
    for path in sources(folder):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Dict) and mark in _keys(node):
                yield from _members(node, at)


def _keys(node: ast.Dict) -> set[str]:
    return {key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def _members(node: ast.AST, at: str) -> Iterator[str]:
    """Yield the members of a dictionary, of a list's entries, or of both branches of a condition."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                yield f"{at}.{key.value!s}"
                yield from _members(value, f"{at}.{key.value!s}")
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield f"{at} = {node.value}"
    elif isinstance(node, ast.ListComp):
        yield from _members(node.elt, f"{at}[]")
    elif isinstance(node, ast.IfExp):
        yield from _members(node.body, at)
        yield from _members(node.orelse, at)


def _dossier() -> Iterator[str]:
    """Yield the members of a dossier as intake returns it."""
    intake = "services/intake"
    yield from _dictionary(intake, "national_status")
    yield from _dictionary(intake, "foreign_codes")
    yield from _dictionary(intake, "asked_for", ".papers")
    yield from _dictionary(intake, "recorded_at", ".history[]")
    yield from _chosen(intake, {"kind", "role"}, ".history[].actor")
    yield from _arguments(intake, "details", ".history[].details")
    yield from (
        f".history[].details.{name}" for name in ("papers", "activity", "group")
    )  # free words that stay in intake
    yield from _dictionary(intake, "up_to_date", ".due")
    yield from _dictionary(intake, "reflects", ".due")
    yield from _due(intake)
    yield from _dictionary(intake, "returning_place", ".assignment")
    yield from _columns(intake, "foreign_codes", ".foreign_codes[]")
    yield from _columns(intake, "documents", ".papers.documents[]")
    yield from _columns(intake, "applicants", ".applicant")
    yield from (".applicant", ".history[].details")  # where the reader may see personal data


def _columns(folder: str, table: str, at: str) -> Iterator[str]:
    """Yield the columns that the queries for one dossier select from a table."""
    query = re.compile(rf"select (\w+(?:, \w+)+) from {table} where dossier_id = \$1")
    for path in sources(folder):
        for text in texts(path):
            for columns in query.findall(text):
                yield from (f"{at}.{column}" for column in columns.split(", "))


def _chosen(folder: str, marks: set[str], at: str) -> Iterator[str]:
    """Yield the members that a dictionary comprehension takes from a tuple of names that includes `marks`."""
    for path in sources(folder):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.DictComp) and isinstance(node.generators[0].iter, ast.Tuple):
                names = [str(one.value) for one in node.generators[0].iter.elts if isinstance(one, ast.Constant)]
                yield from (f"{at}.{name}" for name in names if marks <= set(names))


def _arguments(folder: str, keywords: str, at: str) -> Iterator[str]:
    """Yield the keyword arguments of calls to the function whose `**` parameter is named `keywords`."""
    for path in sources(folder):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef) and node.args.kwarg and node.args.kwarg.arg == keywords:
                for call in _calls(folder, {node.name}):
                    yield from (f"{at}.{word.arg}" for word in call.keywords)


def _due(folder: str) -> Iterator[str]:
    """Yield what intake stores of a clock: the arguments of the function that stores it."""
    for path in sources(folder):
        stores = {
            function.name
            for function in ast.walk(parsed(path))
            if isinstance(function, ast.FunctionDef) and function.args.kwarg is not None
            if any(isinstance(node, ast.Dict) and "reflects" in _keys(node) for node in ast.walk(function))
        }
        for call in _calls(folder, stores):
            yield from (f".due.{word.arg}" for word in call.keywords)
            yield from (f".due.status = {one.value!s}" for one in call.args if isinstance(one, ast.Constant))


def _calls(folder: str, functions: set[str]) -> Iterator[ast.Call]:
    for path in sources(folder):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
                yield node


def _batch_line() -> Iterator[str]:
    """Yield the members of the response to one line of a batch."""
    for path in sources("services/intake"):
        for function in ast.walk(parsed(path)):
            if isinstance(function, ast.FunctionDef):
                found = list(ast.walk(function))
                if any(isinstance(node, ast.Dict) and {"line", "key"} <= _keys(node) for node in found):
                    yield from (f".{key}" for node in found if isinstance(node, ast.Dict) for key in _keys(node))
                    for node in found:
                        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                            yield f".{ast.literal_eval(node.slice)}"
                        elif isinstance(node, ast.comprehension):
                            yield from (f".{name}" for name in ast.literal_eval(node.iter))


UNTYPED: Mapping[str, Callable[[], Iterator[str]]] = {
    "GET /dossiers 200": _dossier,
    "GET /dossiers/{dossier_id} 200": _dossier,
    "POST /acts:batch 200": _batch_line,
    "GET /readyz 200": partial(_dictionary, "shared", "reasons"),
    "GET /progress 200": partial(_dictionary, "shared", "parts"),
}
"""By method, path and status, for every service that has the operation."""
