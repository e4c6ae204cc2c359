"""The frozen surface, the table of changes, and their comparison with the surface collected from the code."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.surface import acts, cli, events, files, headers, metrics, openapi, problems, settings
from tests.architecture.tree import ROOT

FOLDER = Path(__file__).resolve().parent
CHANGELOG = ROOT / "CHANGELOG.md"
TABLE = FOLDER / "changes.toml"
KINDS: Mapping[str, Callable[[], Iterable[str]]] = {
    "acts": acts.collect,
    "api-keys": files.collect_keys,
    "cli": cli.collect,
    "config": files.collect_config,
    "events": events.collect_events,
    "headers": headers.collect,
    "home": files.collect_home,
    "mapping": files.collect_mapping,
    "metrics": metrics.collect,
    "openapi": openapi.collect,
    "problems": problems.collect,
    "settings": settings.collect,
    "topics": events.collect_topics,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the table: `old` is renamed to `new`. An empty `old` adds `new`, an empty `new` removes `old`.

    A renaming applies to every line of the kind in which `old` is a whole name.
    Adding or removing applies to the line and to the lines below it, such as the parameters of an operation.
    """

    kind: str
    old: str
    new: str
    reason: str

    def apply(self, expected: set[str], present: set[str]) -> bool:
        """Change `expected` in place; return False if nothing changed. Only lines of `present` are added."""
        before = set(expected)
        if not self.old:
            expected |= {line for line in present if _covers(self.new, line)}
        elif not self.new:
            expected -= {line for line in before if _covers(self.old, line)}
        else:
            name = re.compile(f"{_edge(self.old[0], '(?<!{})')}{re.escape(self.old)}{_edge(self.old[-1], '(?!{})')}")
            expected.clear()
            expected |= {name.sub(lambda _: self.new, line) for line in before}
        return expected != before

    def is_in(self, changelog: str) -> bool:
        """Return whether one line of the changelog contains both names, each in backticks."""
        named = [f"`{name}`" for name in (self.old, self.new) if name]
        return any(all(name in line for name in named) for line in changelog.splitlines())


def _edge(character: str, assertion: str) -> str:
    return assertion.format(r"[\w-]") if character.isalnum() else ""


def _covers(name: str, line: str) -> bool:
    return re.match(re.escape(name) + _edge(name[-1], "(?!{})"), line) is not None


@dataclass(frozen=True, slots=True)
class Difference:
    """Lines that only the frozen surface has, lines that only the code has, and entries without effect."""

    vanished: Sequence[str]
    appeared: Sequence[str]
    idle: Sequence[Change]


def difference(kind: str, frozen: Iterable[str], present: Iterable[str], changes: Iterable[Change]) -> Difference:
    """Apply the table to the frozen surface of one kind and compare the result with `present`.

    Renamings and removals apply first, in the order of the table, then additions.
    """
    expected, found = set(frozen), set(present)
    own = sorted((change for change in changes if change.kind == kind), key=lambda change: not change.old)
    idle = [change for change in own if not change.apply(expected, found)]
    return Difference(sorted(expected - found), sorted(found - expected), idle)


def table() -> list[Change]:
    """Return the entries of the table. Raises TypeError for an entry with missing or unknown keys."""
    return [Change(**line) for line in tomllib.loads(TABLE.read_text(encoding="utf-8")).get("change", ())]


def releases() -> list[str]:
    """Return the releases with a frozen surface, oldest first."""
    found = (folder.name for folder in FOLDER.iterdir() if re.fullmatch(r"\d+\.\d+\.\d+", folder.name))
    return sorted(found, key=lambda release: [int(part) for part in release.split(".")])


def lines_of(kind: str) -> list[str]:
    """Return the surface of one kind in the newest frozen release."""
    return (FOLDER / releases()[-1] / f"{kind}.txt").read_text(encoding="utf-8").splitlines()


def freeze(release: str) -> Iterator[str]:
    """Write the collected surface as that of a release; yield the number of lines of each kind.

    Raises FileExistsError if the release is already frozen: a frozen surface never changes.
    """
    (FOLDER / release).mkdir()
    for kind, collect in KINDS.items():
        lines = sorted(set(collect()))
        (FOLDER / release / f"{kind}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        yield f"{kind}: {len(lines)}"


def suggestion(kind: str, old: str, new: str) -> str:
    """Return an entry of the table, to be completed with a reason."""
    return f'[[change]]\nkind = "{kind}"\nold = {_quoted(old)}\nnew = {_quoted(new)}\nreason = ""\n'


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'
