"""The list of the embedded broker's jars, `jars.tsv`: only a jar with the listed SHA-256 is used."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shared.kernel.errors import StartError

LIST = Path(__file__).with_name("jars.tsv")
_HEAD = """\
# The jars of the embedded Kafka: group, artifact, version and SHA-256, separated by tabs.
# `make jars` writes this file from what Maven resolves for pom.xml; review the difference before you commit it.
# A jar whose SHA-256 is not the one listed is not used.
"""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True)
class Jar:
    """One entry of the list: the Maven coordinates of a jar and its SHA-256."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The file name of the jar, the same in a Maven repository and in the cache."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> Path:
        """The path of the jar relative to the root of a Maven repository."""
        return Path(*self.group.split("."), self.artifact, self.version, self.file_name)


def parse(text: str) -> tuple[Jar, ...]:
    """Parse the text of a list. Raises StartError with the number of the first invalid or repeated line."""
    jars: dict[str, Jar] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        words = line.split("\t")
        if len(words) != 4 or not all(map(_WORD.fullmatch, words[:3])) or not _SHA256.fullmatch(words[3]):
            raise StartError(f"{LIST.name}:{number}: not a group, an artifact, a version and a SHA-256, split by tabs.")
        jar = Jar(*words)
        if jar.file_name in jars:
            raise StartError(f"{LIST.name}:{number}: {jar.file_name} is listed twice.")
        jars[jar.file_name] = jar
    return tuple(jars.values())


def read_list() -> tuple[Jar, ...]:
    """Read the list `jars.tsv` of this release."""
    return parse(LIST.read_text(encoding="utf-8"))


def format_list(jars: Iterable[Jar]) -> str:
    """Return the text of a list of these jars, sorted and with its comment. Writes nothing."""
    return _HEAD + _lines(jars)


def digest(jars: Iterable[Jar]) -> str:
    """Return a short hash of the coordinates and SHA-256 of all jars, independent of their order."""
    return hashlib.sha256(_lines(jars).encode()).hexdigest()[:12]


def _lines(jars: Iterable[Jar]) -> str:
    return "".join(f"{jar.group}\t{jar.artifact}\t{jar.version}\t{jar.sha256}\n" for jar in sorted(jars))
