"""Commands: options, arguments, exit statuses, and the members of the JSON and CSV that they read and write."""

import argparse
import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

import typer

from motcua.cli.lag import read as read_lag
from motcua.lab.simulate.past import COLUMNS as ARRIVALS
from motcua.lab.simulate.settings import PARAMETERS
from services.sla.explaining import view as explanation
from tests.architecture.surface.command import entry_point, parser_of, run, run_module
from tests.architecture.surface.names import members
from tests.architecture.tree import ROOT, SERVICES, parsed, sources

_CENTRE = str(ROOT / "config/binh-phuoc")
_CASE = {"calendar": {"weekdays": [1, 2, 3, 4, 5], "hours": [["08:00", "16:00"]]}, "received_at": "2017-11-06T09:00Z"}
_TERM = {"unit": "working_day", "value": 5}
_CASES: tuple[Mapping[str, Any], ...] = (
    {"id": "running", **_CASE, "term": _TERM},
    {"id": "paused", **_CASE, "term": _TERM, "pauses": [{"from": "2017-11-07T09:00Z"}]},
    {"id": "without a term", **_CASE, "term": None},
    {"id": "in error", **_CASE},
)


def collect() -> Iterator[str]:
    """Yield the commands of `motcua`, of the services, and of the modules that compose and the docs run."""
    module, _ = entry_point()
    yield from _commands(typer.main.get_command(module.app), "motcua")
    yield from _statuses()
    yield from members(get_type_hints(read_lag)["return"].model_json_schema(mode="serialization"), "motcua lag --json ")
    shown = get_type_hints(explanation)["return"].model_json_schema(mode="serialization")
    yield from members(shown, "motcua due --json ")
    yield from _json_lines()
    yield from (f"motcua simulate general-counter --arrivals column {name}" for name in ARRIVALS)
    yield from (f"motcua simulate general-counter --table column {name}" for name in (*PARAMETERS, *_table()))
    yield from (f"motcua verify --ledger .{name}" for name in _ledger())
    for service in SERVICES:
        _, usage = run_module(f"services.{service}")
        for command in re.findall(r"[a-z-]+", usage.split(f"services.{service} ")[1]):
            yield f"python -m services.{service} {command}"
    yield from _options(parser_of("motcua.local.sinks"), "python -m motcua.local.sinks")
    status, _ = run_module("motcua.cli.probe", "tcp://nowhere")
    yield f"python -m motcua.cli.probe, status {status} where there is no progress"


def _commands(command: Any, name: str) -> Iterator[str]:
    yield name
    argument = 0
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            argument += 1
            place = f"{name} argument {argument}"
        else:
            place = f"{name} {'/'.join((*parameter.opts, *parameter.secondary_opts))}"
        if parameter.default not in (None, False):
            yield f"{place} default {parameter.default}"
        else:
            yield f"{place}{' required' * parameter.required}{' flag' * getattr(parameter, 'is_flag', False)}"
        yield from (f"{place} = {word}" for word in get_args(parameter.type_descriptor.annotation))
    for under in getattr(command, "commands", {}).values():
        yield from _commands(under, f"{name} {under.name}")


def _options(parser: argparse.ArgumentParser, name: str) -> Iterator[str]:
    for action in parser._actions:  # argparse has no public list
        if isinstance(action, argparse._HelpAction):
            continue
        place = f"{name} {'/'.join(action.option_strings) or 'argument'}"
        default = f" default {action.default}" if action.default is not None else ""
        yield f"{place} required" if action.required and action.option_strings else f"{place}{default}"
        yield from (f"{place} = {word}" for word in action.choices or ())


def _statuses() -> Iterator[str]:
    yield f"motcua, status {run('check-config', _CENTRE)[0]} when it is done"
    yield f"motcua, status {run('check-config', str(ROOT / 'docs'))[0]} when a check failed"
    yield f"motcua, status {run('no-such-command')[0]} for wrong usage"
    yield f"motcua, status {run('due', '--jsonl', str(ROOT / 'no-such-file'))[0]} when the environment lacks something"
    for service in SERVICES:
        yield f"python -m services.{service}, status {run_module(f'services.{service}')[0]} for wrong usage"


def _json_lines() -> Iterator[str]:
    """Yield the members of a case of `motcua due --jsonl` from the source, and those of real answers."""
    at = {"received_at": "", "unit": ".term", "from": ".pauses[]", "at": ".extensions[]"}
    at |= {"weekdays": ".calendar", "kind": ".calendar.exceptions[]"}
    for required, optional in _pairs_of_sets():
        for place in (at[name] for name in required & at.keys()):
            yield from (f"motcua due --jsonl case {place}.{name} required" for name in required)
            yield from (f"motcua due --jsonl case {place}.{name}" for name in optional)
    _, answers, _ = run("due", "--jsonl", given="\n".join(map(json.dumps, _CASES)).encode())
    for answer in map(json.loads, answers.splitlines()):
        yield from (f"motcua due --jsonl answer .{name}" for name in answer)
        yield from (f"motcua due --jsonl answer .error.{name}" for name in answer.get("error", ()))
        if "state" in answer:
            yield f"motcua due --jsonl answer .state = {answer['state']}"
    yield from (f"motcua due --jsonl answer .error.type = {slug}" for slug in _words_beside("not-utf8"))
    yield "motcua due --jsonl --explain answer .explanation"


def _pairs_of_sets() -> Iterator[tuple[set[str], set[str]]]:
    """Yield the two sets of names, required and optional, of each call that has two such arguments."""
    for path in sources("motcua"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and len(node.args) == 2:
                sets = [one.args[0] for one in node.args if isinstance(one, ast.Call) and len(one.args) == 1]
                if len(sets) == 2 and all(isinstance(one, ast.Set) for one in sets):
                    required, optional = (ast.literal_eval(one) for one in sets)
                    yield required, optional


def _words_beside(word: str) -> Iterator[str]:
    """Yield the values of the `Literal[…]` that includes `word`."""
    for path in sources("motcua"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
                words = [one.value for one in node.slice.elts if isinstance(one, ast.Constant)]
                if word in words:
                    yield from (str(one) for one in words)


def _table() -> Iterator[str]:
    """Yield the columns of the table that a simulation writes: the strings in the lists of that function."""
    for path in sources("motcua"):
        for function in ast.walk(parsed(path)):
            if isinstance(function, ast.FunctionDef):
                lists = [node for node in ast.walk(function) if isinstance(node, ast.List | ast.ListComp)]
                entries = [
                    entry for node in lists for entry in (node.elts if isinstance(node, ast.List) else [node.elt])
                ]
                columns = [re.sub(r"\{.*?\}", "*", ast.unparse(entry)) for entry in entries]
                if "'pooled_at_end'" in columns:
                    quoted = (re.fullmatch(r"f?'(\w[\w*]*)'", column) for column in columns)
                    yield from (found[1] for found in quoted if found)


def _ledger() -> Iterator[str]:
    """Yield the members of a line of the ledger: the keys that its reader uses."""
    for path in sources("motcua"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Try):
                asked = [one for one in ast.walk(node) if isinstance(one, ast.Subscript)]
                names = [one.slice.value for one in asked if isinstance(one.slice, ast.Constant)]
                if "sequence" in names:
                    yield from map(str, names)
