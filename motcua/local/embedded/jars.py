"""The embedded broker's jars in the user's cache: fetched once for all working copies, and checked by SHA-256."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from motcua.local.embedded.jar_list import LIST, Jar, digest
from motcua.local.embedded.maven import copy_jars
from motcua.local.embedded.process import failure
from shared.kernel.errors import StartError

_TIMEOUT_SECONDS = 30.0
"""Timeout of a connection attempt and of each read; a whole download may take minutes on a slow line."""
_REPORT_SECONDS = 5.0
_CHUNK_BYTES = 1 << 16
_HOW_MUCH = "about 45 MB, once for this user"

Progress = Callable[[str], None]
Fetch = Callable[[Jar], Iterator[bytes]]
"""Yields the content of one jar in chunks."""


@dataclass(frozen=True, slots=True)
class Store:
    """The jars of one version of Kafka in a folder below `cache`, and how they are fetched if they are missing.

    Without `mirror` the command `maven` fetches them if it is installed, since it uses the user's mirrors and proxies;
    if that fails they are downloaded from the default repository. With `mirror` they are downloaded from this URL.
    """

    cache: Path
    version: str
    jars: Sequence[Jar]
    maven: str = "mvn"
    mirror: str | None = None
    progress: Progress = lambda _: None

    def provide(self) -> Path:
        """Return the folder that contains exactly `jars`; fetch them first if the folder does not exist.

        The folder is created under its final name only when it is complete; an interrupted download is continued by the
        next call. Blocks; only one process fetches at a time. Raises StartError with the remedies.
        """
        folder = self.cache / f"kafka-{self.version}-{digest(self.jars)}"
        if folder.is_dir():
            return folder
        try:
            with exclusive(self.cache, self.progress):
                if not folder.is_dir():
                    arriving = folder.with_name(f"{folder.name}.part")
                    arriving.mkdir(exist_ok=True)
                    self._fetch(arriving)
                    arriving.rename(folder)
        except OSError as error:
            raise StartError(
                f"The cache folder {self.cache} cannot be written ({error.strerror}): choose another with MOTCUA_CACHE."
            ) from error
        return folder

    def _fetch(self, folder: Path) -> None:
        if self.mirror is None and shutil.which(self.maven) and self._fetch_with_maven(folder):
            return
        with _repository(self.mirror) as (fetch, host):
            self.progress(f"Downloading the jars of Kafka {self.version} from {host} ({_HOW_MUCH})")
            try:
                self._fill(folder, fetch, origin=host)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise StartError(
                    f"The jars of Kafka {self.version} are not in the cache {self.cache}, and {host} did not send them "
                    f"({_reason(error)}): connect this machine to the network once, or name a mirror with "
                    f"MOTCUA_MAVEN_MIRROR or an existing cluster with MOTCUA_KAFKA."
                ) from error

    def _fetch_with_maven(self, folder: Path) -> bool:
        """Fill `folder` with the jars that Maven copies, and return True.

        Return False if Maven fails or lacks a jar; the caller then downloads the jars without Maven. Raises StartError
        for a jar with another SHA-256.
        """
        self.progress(f"Fetching the jars of Kafka {self.version} with Maven ({_HOW_MUCH})")
        with tempfile.TemporaryDirectory(prefix="motcua-jars-") as name:
            copied = Path(name)
            try:
                copy_jars(self.maven, copied)
            except (OSError, subprocess.SubprocessError) as error:
                self.progress(f"`{self.maven}` failed ({failure(error)}); continuing without Maven")
                return False
            if absent := [jar.file_name for jar in self.jars if not (copied / jar.path).is_file()]:
                self.progress(f"`{self.maven}` did not bring {absent[0]}; continuing without Maven")
                return False
            self._fill(folder, lambda jar: _content(copied / jar.path), origin=f"`{self.maven}`")
        return True

    def _fill(self, folder: Path, fetch: Fetch, *, origin: str) -> None:
        """Fetch each jar that `folder` does not contain yet, and report progress; `origin` is for error messages.

        Raises StartError for a fetched jar with another SHA-256, which is deleted.
        """
        reported, received = time.monotonic(), 0
        for number, jar in enumerate(self.jars):
            path = folder / jar.file_name
            if path.is_file() and _sha256(path) == jar.sha256:
                continue
            with path.open("wb") as file:
                for chunk in fetch(jar):
                    file.write(chunk)
                    received += len(chunk)
                    if time.monotonic() - reported > _REPORT_SECONDS:
                        reported = time.monotonic()
                        self.progress(f"  {number} of {len(self.jars)} jars, {received / 1e6:.0f} MB")
                file.flush()
                os.fsync(file.fileno())
            if (found := _sha256(path)) != jar.sha256:
                path.unlink()
                raise StartError(
                    f"{jar.file_name} from {origin} was rejected: its SHA-256 is {found}, and {LIST.name} lists "
                    f"{jar.sha256}. Find out who changed it there, or name another source with MOTCUA_MAVEN_MIRROR."
                )


@contextmanager
def exclusive(folder: Path, progress: Progress = lambda _: None) -> Iterator[None]:
    """Context manager: hold the exclusive lock (flock) of `folder`, which is created if missing.

    Blocks while another process holds the lock, and reports that to `progress`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"Waiting for another process that fills {folder}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _repository(mirror: str | None) -> Iterator[tuple[Fetch, str]]:
    """Open the Maven repository: yields a function that downloads a jar, and the repository's host name.

    The repository is `mirror`, or by default that of the package maven-artifact. TLS trusts the machine's certificates
    and those of httpx. Raises StartError if the package maven-artifact is not installed.
    """
    try:
        from maven_artifact import Artifact, Downloader  # containers run no broker and do not install it
    except ImportError as error:
        raise StartError(
            "Kafka's jars cannot be downloaded, since the package maven-artifact is not installed: run `make setup`, "
            "or name an existing cluster with MOTCUA_KAFKA."
        ) from error
    resolver = (Downloader() if mirror is None else Downloader(mirror)).resolver
    certificates = httpx.create_ssl_context()
    certificates.load_default_certs()
    with httpx.Client(timeout=_TIMEOUT_SECONDS, verify=certificates, follow_redirects=True) as client:

        def fetch(jar: Jar) -> Iterator[bytes]:
            address = resolver.uri_for_artifact(Artifact(jar.group, jar.artifact, jar.version))
            with client.stream("GET", address) as answer:
                answer.raise_for_status()
                yield from answer.iter_bytes()

        yield fetch, httpx.URL(resolver.base).netloc.decode()


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: httpx.HTTPError | httpx.InvalidURL) -> str:
    """Describe a failed download without its URL, which may contain a password."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"{error.request.url.path}: status {error.response.status_code}"
    return str(error) or type(error).__name__
