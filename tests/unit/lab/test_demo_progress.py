"""A demo tells how far it is, also into a file."""

import asyncio
from io import StringIO

import pytest
from rich.console import Console

from motcua.lab.demo.command import telling


@pytest.mark.parametrize(("terminal", "told"), [(False, {"far"}), (True, set())])
async def test_only_what_is_no_terminal_gets_lines(terminal: bool, told: set[str]) -> None:
    """A terminal has its bars; a file would have nothing until the end. Once the play is over, nothing follows."""
    said = StringIO()
    async with telling(Console(file=said, force_terminal=terminal), lambda: "far", seconds=0):
        for _ in range(10):
            await asyncio.sleep(0)
    lines = said.getvalue().splitlines()
    assert set(lines) == told
    for _ in range(10):
        await asyncio.sleep(0)
    assert said.getvalue().splitlines() == lines
