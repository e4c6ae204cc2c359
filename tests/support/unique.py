"""Names that no other test and no other run uses, so that no table or topic has to be truncated."""

import itertools
import secrets

_RUN = secrets.token_hex(3)
_COUNT = itertools.count(1)


def unique(prefix: str) -> str:
    """`prefix` with a token of this run and a number, joined by underscores."""
    return f"{prefix}_{_RUN}_{next(_COUNT)}"
