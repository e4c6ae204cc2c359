"""Progress output of the demo."""

import asyncio
from io import StringIO

import pytest
from rich.console import Console

from motcua.lab.demo.command import periodic_report


@pytest.mark.parametrize(("terminal", "expected"), [(False, {"far"}), (True, set())])
async def test_progress_lines_are_printed_only_without_a_terminal(terminal: bool, expected: set[str]) -> None:
    """A terminal shows bars and a file gets lines; after the play no line follows."""
    output = StringIO()
    async with periodic_report(Console(file=output, force_terminal=terminal), lambda: "far", seconds=0):
        for _ in range(10):
            await asyncio.sleep(0)
    lines = output.getvalue().splitlines()
    assert set(lines) == expected
    for _ in range(10):
        await asyncio.sleep(0)
    assert output.getvalue().splitlines() == lines
