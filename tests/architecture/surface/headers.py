"""Names of the HTTP headers that the services read or send, as spelled in their source."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.tree import parsed, sources

_SPELT = re.compile(r"(?:[A-Z][a-z]+|X)(?:-[A-Z][a-z]+)+")
_ONE_WORD = {"Allow", "Authorization", "Cookie", "Location", "authorization", "traceparent"}
"""Names whose form alone does not show that they are headers."""
_OF_MAIL = {"auto-submitted"}
_RAW = re.compile(rb"[a-z]+(?:-[a-z]+)+")


def collect() -> Iterator[str]:
    """Yield lower-case names: HTTP ignores case."""
    for path in sources("shared", "services"):
        for node in ast.walk(parsed(path)):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and (_SPELT.fullmatch(value) or value in _ONE_WORD):
                if value.lower() not in _OF_MAIL:
                    yield value.lower()
            elif isinstance(value, bytes) and _RAW.fullmatch(value):
                yield value.decode()
