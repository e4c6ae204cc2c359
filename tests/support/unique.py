"""Names that no other test, and no other run, uses: nothing has to be truncated."""

import itertools
import secrets

_RUN = secrets.token_hex(3)
_COUNT = itertools.count(1)


def unique(prefix: str) -> str:
    """`prefix`, this run and a number: letters, digits and underscores if the prefix is so."""
    return f"{prefix}_{_RUN}_{next(_COUNT)}"
