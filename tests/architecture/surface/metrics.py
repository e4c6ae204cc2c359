"""Type, name and labels of each metric that the source creates."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.tree import parsed, sources

_NAME = re.compile(r"motcua(_[a-z0-9]+)+")


def collect() -> Iterator[str]:
    """Yield a line per metric, a line per label, and the collectors of the client library."""
    for path in sources("shared", "services"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                made = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if made.endswith("Collector"):
                    yield f"library {made}"
                for name in (one.value for one in node.args[:1] if isinstance(one, ast.Constant)):
                    if isinstance(name, str) and _NAME.fullmatch(name):
                        yield f"{made.lower()} {name}"
                        yield from (f"{made.lower()} {name} label {label}" for label in _labels(node))


def _labels(call: ast.Call) -> list[str]:
    """Return the strings of list and tuple arguments."""
    given = [*call.args[1:], *(word.value for word in call.keywords)]
    entries = [entry for one in given if isinstance(one, ast.Tuple | ast.List) for entry in one.elts]
    return [entry.value for entry in entries if isinstance(entry, ast.Constant) and isinstance(entry.value, str)]
