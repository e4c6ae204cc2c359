"""Standard output and standard error of the commands."""

from collections.abc import Iterable

from rich.console import Console

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def print_lines(lines: Iterable[str]) -> None:
    """Print each line on standard output unchanged: without interpreting markup and without wrapping."""
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
