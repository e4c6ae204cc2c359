"""The broker's jars: the list, the cache that has all of them or none, and what a missing source is answered with."""

import hashlib
import re
import sys
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from motcua.local.embedded import jar_list, jars
from motcua.local.embedded.jar_list import Jar
from motcua.local.embedded.jars import Store
from motcua.local.embedded.kafka import KAFKA_VERSION
from motcua.local.embedded.maven import jars_in
from shared.kernel.errors import StartError

CONTENT = {"a-1.jar": b"first", "b-2.jar": b"second"}
JARS = tuple(
    Jar("org.example", name[0], name[2], hashlib.sha256(content).hexdigest()) for name, content in CONTENT.items()
)
Answers = dict[str, list[httpx.Response | httpx.TransportError]]
LAYOUT = {jar.path: CONTENT[jar.file_name] for jar in JARS}


def store(cache: Path, **more: object) -> Store:
    return Store(cache, "9.9", JARS, **{"maven": "no-such-maven", **more})  # type: ignore[arg-type] # a test's options


def maven(folder: Path, script: str) -> str:
    """A command that is called as Maven is; `$out` is the folder that it fills."""
    path = folder / "mvn"
    find = 'for a in "$@"; do case $a in -DoutputDirectory=*) out="${a#*=}";; esac; done'
    path.write_text(f"#!/bin/sh\n{find}\n{script}\n")
    path.chmod(0o755)
    return str(path)


def copying(folder: Path, content: dict[Path, bytes]) -> str:
    """What such a Maven does that has these jars, and counts its runs."""
    lines = [f"echo ran >> {folder}/runs"]
    for path, data in content.items():
        lines += [f'mkdir -p "$out/{path.parent}"', f'printf %s {data.decode()} > "$out/{path}"']
    return "\n".join(lines)


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What a repository answers by file name, in turn; the last answer stays. Without a socket."""
    answers: Answers = {name: [httpx.Response(200, content=content)] for name, content in CONTENT.items()}

    def answer(request: httpx.Request) -> httpx.Response:
        mine = answers[request.url.path.rpartition("/")[2]]
        said = mine.pop(0) if len(mine) > 1 else mine[0]
        if isinstance(said, httpx.TransportError):
            raise said
        return said

    client = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **_: client(transport=httpx.MockTransport(answer)))
    return answers


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_checked_in_list_is_what_the_generator_writes() -> None:
    """It is sorted, every line is read, and writing it again changes nothing."""
    text = jar_list.LIST.read_text(encoding="utf-8")
    assert jar_list.format_list(jar_list.parse(text)) == text


def test_checked_in_list_has_what_the_pom_names() -> None:
    """Each dependency of pom.xml is listed in its version, and Kafka's is the one that is reported."""
    pom = ElementTree.parse(jar_list.LIST.with_name("pom.xml"))
    named = {
        tuple(node.findtext(part) for part in ("groupId", "artifactId", "version"))
        for node in pom.iterfind(".//dependency")
    }
    listed = {(jar.group, jar.artifact, jar.version) for jar in jar_list.read_list()}
    assert named <= listed
    assert ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION) in named


@pytest.mark.parametrize(
    "line",
    [
        "org.example\ta\t1",
        "org.example a 1 " + "0" * 64,
        "org.example\ta\t1\t" + "0" * 63,
        "org.example\t../a\t1\t" + "0" * 64,
    ],
)
def test_malformed_line_is_refused_by_its_number(line: str) -> None:
    """Too few words, other separators, a short hash, a name that leads out of the folder."""
    with pytest.raises(StartError, match=r"jars\.tsv:2: "):
        jar_list.parse(f"# head\n{line}\n")


def test_jar_listed_twice_is_refused() -> None:
    """Two jars of one file name cannot be in one folder."""
    line = "org.example\ta\t1\t" + "0" * 64
    with pytest.raises(StartError, match=r"jars\.tsv:2: a-1\.jar is listed twice"):
        jar_list.parse(f"{line}\n{line.replace('example', 'other')}\n")


def test_list_is_made_from_the_layout_of_a_repository(tmp_path: Path) -> None:
    """Group, artifact and version come from a jar's place, the hash from its content."""
    for path, content in LAYOUT.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(content)
    assert sorted(jars_in(tmp_path)) == sorted(JARS)


def test_jars_are_downloaded_once(repository: Answers, tmp_path: Path) -> None:
    """The second start makes no request."""
    folder = store(tmp_path).provide()
    assert content_of(folder) == CONTENT
    repository.clear()
    assert store(tmp_path).provide() == folder


def test_another_list_has_a_folder_of_its_own(repository: Answers, tmp_path: Path) -> None:
    """A clone with other jars neither uses nor changes these."""
    first = store(tmp_path).provide()
    assert Store(tmp_path, "9.9", JARS[:1], maven="no-such-maven").provide() != first


def test_jar_with_another_hash_is_refused(repository: Answers, tmp_path: Path) -> None:
    """It is deleted, the folder does not appear, and the sentence names jar, source and both hashes."""
    repository["b-2.jar"] = [httpx.Response(200, content=b"changed")]
    hashes = f"{hashlib.sha256(b'changed').hexdigest()}.*{JARS[1].sha256}"
    with pytest.raises(
        StartError, match=rf"b-2\.jar from mirror\.example was rejected: .*{hashes}.*MOTCUA_MAVEN_MIRROR"
    ):
        store(tmp_path, mirror="https://user:hidden@mirror.example/maven").provide()
    assert [path.name for path in tmp_path.rglob("*.jar")] == ["a-1.jar"]
    assert [folder.suffix for folder in tmp_path.glob("kafka-*")] == [".part"]


def test_interrupted_download_continues(repository: Answers, tmp_path: Path) -> None:
    """What came whole is not asked for again; a jar that came in part is."""

    def broken() -> Iterator[bytes]:
        yield b"sec"
        raise httpx.ReadTimeout("The read operation timed out")

    repository["b-2.jar"] = [httpx.Response(200, content=broken()), httpx.Response(200, content=b"second")]
    with pytest.raises(StartError, match="The read operation timed out"):
        store(tmp_path).provide()
    (arriving,) = tmp_path.glob("kafka-*")
    assert content_of(arriving) == {"a-1.jar": b"first", "b-2.jar": b"sec"}
    del repository["a-1.jar"]
    assert content_of(store(tmp_path).provide()) == CONTENT


def test_offline_with_an_empty_cache_is_one_sentence(repository: Answers, tmp_path: Path) -> None:
    """The missing part, the searched place, the reason and the remedy; the address's password is not shown."""
    repository["a-1.jar"] = [httpx.ConnectError("[Errno -2] Name or service not known")]
    with pytest.raises(StartError) as fault:
        store(tmp_path, mirror="https://user:hidden@mirror.example/maven").provide()
    assert str(fault.value) == (
        f"The jars of Kafka 9.9 are not in the cache {tmp_path}, and mirror.example did not send them ([Errno -2] Name "
        "or service not known): connect this machine to the network once, or name a mirror with MOTCUA_MAVEN_MIRROR "
        "or an existing cluster with MOTCUA_KAFKA."
    )


def test_mirror_without_the_jar_is_reported_with_path_and_status(repository: Answers, tmp_path: Path) -> None:
    """The path below the mirror shows whether its address is wrong."""
    repository["a-1.jar"] = [httpx.Response(404)]
    with pytest.raises(StartError, match=r"\(/maven/org/example/a/1/a-1\.jar: status 404\)") as fault:
        store(tmp_path, mirror="https://user:hidden@mirror.example/maven/").provide()
    assert "hidden" not in str(fault.value)


def test_missing_package_is_answered_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container, which has no maven-artifact, is to name an existing cluster."""
    monkeypatch.setitem(sys.modules, "maven_artifact", None)
    with pytest.raises(StartError, match=r"maven-artifact is not installed: run `make setup`.*MOTCUA_KAFKA"):
        store(tmp_path).provide()


def test_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """With the reason and the setting that names another."""
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"file/cache cannot be written \(Not a directory\): .*MOTCUA_CACHE"):
        store(tmp_path / "file" / "cache").provide()


def test_long_download_reports_progress(repository: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line before it begins, then one whenever the interval has passed."""
    monkeypatch.setattr(jars, "_REPORT_SECONDS", -1)
    said: list[str] = []
    store(tmp_path, mirror="https://mirror.example", progress=said.append).provide()
    assert said == [
        "Downloading the jars of Kafka 9.9 from mirror.example (about 45 MB, once for this user)",
        "  0 of 2 jars, 0 MB",
        "  1 of 2 jars, 0 MB",
    ]


def test_maven_is_used_where_it_is_present(tmp_path: Path) -> None:
    """What it has is checked like a download."""
    command = maven(tmp_path, copying(tmp_path, LAYOUT))
    assert content_of(store(tmp_path / "cache", maven=command).provide()) == CONTENT


def test_jar_of_maven_with_another_hash_is_refused(tmp_path: Path) -> None:
    """Maven's local repository may be damaged, too."""
    command = maven(tmp_path, copying(tmp_path, dict.fromkeys(LAYOUT, b"changed")))
    with pytest.raises(StartError, match=r"a-1\.jar from `.*mvn` was rejected"):
        store(tmp_path / "cache", maven=command).provide()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo '[ERROR] Unknown host'; exit 1",
            r"`.*mvn` failed \(exit status 1: \[ERROR\] Unknown host\); ",
        ),
        ("exit 0", r"`.*mvn` did not bring a-1\.jar; continuing without Maven"),
    ],
)
def test_failing_maven_is_quoted_and_done_without(
    repository: Answers, tmp_path: Path, script: str, reason: str
) -> None:
    """Its own error line is part of the progress; the download follows."""
    said: list[str] = []
    folder = store(tmp_path / "cache", maven=maven(tmp_path, script), progress=said.append).provide()
    assert content_of(folder) == CONTENT
    assert re.match(reason, said[1])


def test_mirror_replaces_maven(repository: Answers, tmp_path: Path) -> None:
    """A mirror that is named is where the jars come from."""
    command = maven(tmp_path, copying(tmp_path, LAYOUT))
    store(tmp_path / "cache", maven=command, mirror="https://mirror.example").provide()
    assert not (tmp_path / "runs").exists()


def test_of_two_at_once_one_fetches_the_jars(tmp_path: Path) -> None:
    """Both have them in the end, and Maven ran once: its own cache does not bear two that fill it."""
    command = maven(tmp_path, f"{copying(tmp_path, LAYOUT)}\nsleep 1")
    said: list[str] = []
    both_began = threading.Barrier(2)

    def provide(_: int) -> Path:
        both_began.wait()
        return store(tmp_path / "cache", maven=command, progress=said.append).provide()

    with ThreadPoolExecutor(2) as both:
        folders = set(both.map(provide, range(2)))
    assert [content_of(folder) for folder in folders] == [CONTENT]
    assert (tmp_path / "runs").read_text().splitlines() == ["ran"]
    assert f"Waiting for another process that fills {tmp_path / 'cache'}" in said
