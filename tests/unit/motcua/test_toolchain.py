"""What the embedded broker needs is checked first, and what is missing is answered with the way out."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from motcua.local.embedded import kafka
from shared.kernel.errors import StartError


def command(folder: Path, name: str, script: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_missing_java_is_answered_with_the_way_out(tmp_path: Path) -> None:
    """The sentence names Java 17, how to install it, and both settings that avoid it."""
    with pytest.raises(StartError, match=r"not found.*Java 17.*apt-get install.*MOTCUA_JAVA.*MOTCUA_KAFKA"):
        kafka.prepare(tmp_path, java=str(tmp_path / "no-java"))


def test_an_old_java_is_refused_by_its_version(tmp_path: Path) -> None:
    """Java 11 cannot run the broker; its version is named."""
    java = command(tmp_path, "java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
    with pytest.raises(StartError, match="is Java 11"):
        kafka.prepare(tmp_path, java=java)


def test_java_8_is_read_by_its_old_numbering(tmp_path: Path) -> None:
    """`1.8.0_292` is Java 8, not Java 1."""
    java = command(tmp_path, "java", "echo 'java version \"1.8.0_292\"' >&2")
    with pytest.raises(StartError, match="is Java 8"):
        kafka.prepare(tmp_path, java=java)


def test_missing_maven_is_answered_with_the_way_out(tmp_path: Path) -> None:
    """The jars cannot be brought; nothing half-brought stays."""
    java = command(tmp_path, "java", "echo 'openjdk version \"17.0.1\"' >&2")
    with pytest.raises(StartError, match=r"not found.*apt-get install maven.*MOTCUA_MAVEN.*MOTCUA_KAFKA"):
        kafka.prepare(tmp_path, java=java, maven=str(tmp_path / "no-mvn"))
    assert list((tmp_path / "jars").iterdir()) == []


def test_a_failing_maven_is_quoted(tmp_path: Path) -> None:
    """Its own error line is part of the sentence."""
    java = command(tmp_path, "java", "echo 'openjdk version \"21\" 2023-09-19' >&2")
    maven = command(tmp_path, "mvn", "echo '[ERROR] Unknown host'; exit 1")
    with pytest.raises(StartError, match=r"exit status 1: \[ERROR\] Unknown host"):
        kafka.prepare(tmp_path, java=java, maven=maven)


def test_jars_that_are_there_are_not_brought_again(tmp_path: Path) -> None:
    """A second start needs no Maven."""
    java = command(tmp_path, "java", "echo 'openjdk version \"17.0.1\"' >&2")
    maven = command(
        tmp_path, "mvn", 'for a in "$@"; do case $a in -DoutputDirectory=*) touch "${a#*=}/a.jar";; esac; done'
    )
    first = kafka.prepare(tmp_path, java=java, maven=maven)
    assert [jar.name for jar in first.jars.iterdir()] == ["a.jar"]
    assert kafka.prepare(tmp_path, java=java, maven="/no/maven") == first


def test_of_two_at_once_one_brings_the_jars(tmp_path: Path) -> None:
    """Both have them in the end, and Maven ran once: its own cache does not bear two that fill it."""
    java = command(tmp_path, "java", "echo 'openjdk version \"17.0.1\"' >&2")
    maven = command(tmp_path, "mvn", f"echo ran >> {tmp_path}/runs; sleep 1")
    with ThreadPoolExecutor(2) as both:
        found = list(both.map(lambda _: kafka.prepare(tmp_path, java=java, maven=maven), range(2)))
    assert [tools.jars.is_dir() for tools in found] == [True, True]
    assert (tmp_path / "runs").read_text().splitlines() == ["ran"]
