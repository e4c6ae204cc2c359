"""Run commands in this process, as `motcua …` or `python -m …` would."""

import argparse
import contextlib
import importlib
import io
import runpy
import sys
import tomllib
import warnings
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from tests.architecture.tree import ROOT


def entry_point() -> tuple[Any, str]:
    """Return the module of the command `motcua` and the name of its function, as declared in pyproject.toml."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    module, function = document["project"]["scripts"]["motcua"].split(":")
    return importlib.import_module(module), function


def run(*arguments: str, given: bytes = b"") -> tuple[int, str, str]:
    """Run `motcua`; return exit status, standard output and standard error."""
    module, function = entry_point()
    with _streams(["motcua", *arguments], given) as (out, err):
        status = _status(getattr(module, function))
    return status, _text(out), _text(err)


def run_module(name: str, *arguments: str) -> tuple[int, str]:
    """Run `python -m <name>`; return exit status and standard error."""
    sys.modules.pop(f"{name}.__main__", None)
    with _streams([name, *arguments], b"") as (_, err), warnings.catch_warnings():
        # Another test may have imported the module, which does not matter here.
        warnings.filterwarnings("ignore", ".* found in sys.modules after import of package", RuntimeWarning)
        status = _status(lambda: runpy.run_module(name, run_name="__main__", alter_sys=True))
    return status, _text(err)


def parser_of(name: str) -> argparse.ArgumentParser:
    """Return the argument parser of `python -m <name>`."""
    parsers: list[argparse.ArgumentParser] = []

    def stop(parser: argparse.ArgumentParser, *_: object) -> argparse.Namespace:
        parsers.append(parser)
        raise SystemExit(0)

    with patch.object(argparse.ArgumentParser, "parse_args", stop):
        run_module(name)
    return parsers[0]


@contextlib.contextmanager
def _streams(arguments: list[str], given: bytes) -> Iterator[tuple[io.TextIOWrapper, io.TextIOWrapper]]:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        patch.object(sys, "argv", arguments),
        patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        yield out, err


def _status(command: Any) -> int:
    try:
        command()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _text(stream: io.TextIOWrapper) -> str:
    written = stream.buffer
    assert isinstance(written, io.BytesIO)
    return written.getvalue().decode()
