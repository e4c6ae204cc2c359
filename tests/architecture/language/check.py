"""Finds banned words, applies the exceptions, and compares the counts of each package with the baseline."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.architecture.language.prose import Text, package_of, texts

FOLDER = Path(__file__).parent
MAX_EXCEPTIONS = 30


class Word(NamedTuple):
    """A banned pattern, what to write instead, and where it applies."""

    pattern: re.Pattern[str]
    use: str
    where: str


class Finding(NamedTuple):
    """A banned word in a text."""

    text: Text
    found: str
    use: str

    def __str__(self) -> str:
        return f"{self.text.file}:{self.text.line}: {self.found!r}: write {self.use} | {self.text.text.strip()[:110]}"


def words() -> list[Word]:
    """The list of banned words."""
    entries = tomllib.loads((FOLDER / "words.toml").read_text(encoding="utf-8"))["word"]
    return [Word(re.compile(entry["pattern"], re.I), entry["use"], entry.get("where", "prose")) for entry in entries]


def exceptions() -> list[dict[str, str]]:
    """Accepted uses: file, found text, reason."""
    return list(tomllib.loads((FOLDER / "exceptions.toml").read_text(encoding="utf-8")).get("exception", []))


def baseline() -> dict[str, int]:
    """The accepted number of findings of each package that is not rewritten yet."""
    return dict(tomllib.loads((FOLDER / "baseline.toml").read_text(encoding="utf-8")))


def findings(*paths: str) -> Iterator[Finding]:
    """Every banned word below `paths` (everywhere: none given) that no exception accepts."""
    accepted = {(entry["file"], entry["found"]) for entry in exceptions()}
    yield from (finding for finding in _matches(*paths) if (finding.text.file, finding.found) not in accepted)


def uses_of_exceptions() -> Counter[tuple[str, str]]:
    """How often each exception accepts a text."""
    listed = {(entry["file"], entry["found"]) for entry in exceptions()}
    found = ((finding.text.file, finding.found) for finding in _matches(*sorted({file for file, _ in listed})))
    return Counter(use for use in found if use in listed) if listed else Counter()


def _matches(*paths: str) -> Iterator[Finding]:
    banned = words()
    for text in texts(*paths):
        for word in banned:
            if word.where in (text.kind, "all"):
                for match in word.pattern.finditer(text.text):
                    yield Finding(text, match[0], word.use)


def counts(found: Iterable[Finding]) -> Counter[str]:
    """The number of findings of each package."""
    return Counter(package_of(finding.text.file) for finding in found)
