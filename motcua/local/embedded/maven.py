"""Copy the jars of `pom.xml` with Maven, which uses the user's own settings and mirrors.

Run as a program (`make jars`), this module writes the list `jars.tsv`.
"""

import hashlib
import subprocess
import tempfile
from pathlib import Path

from motcua.local.embedded.jar_list import LIST, Jar, format_list

_POM = Path(__file__).with_name("pom.xml")
_SECONDS = 600


def copy_jars(maven: str, folder: Path) -> None:
    """Copy all jars of `pom.xml` into `folder` in the layout of a Maven repository; Maven downloads missing ones.

    `maven` is the command. Blocks for at most ten minutes. Raises OSError or SubprocessError if Maven fails.
    """
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-Dmdep.useRepositoryLayout=true"]
    subprocess.run(
        [maven, "-q", "-B", "-f", str(_POM), *goal], capture_output=True, text=True, timeout=_SECONDS, check=True
    )


def jars_in(folder: Path) -> list[Jar]:
    """List the jars in a folder that has the layout of a Maven repository, with the SHA-256 of each file."""
    return [
        Jar(".".join(group), artifact, version, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*.jar")
        for *group, artifact, version, _ in [path.relative_to(folder).parts]
    ]


def main() -> None:
    """Write `jars.tsv` from the jars that Maven resolves for `pom.xml`."""
    with tempfile.TemporaryDirectory(prefix="motcua-jars-") as folder:
        copy_jars("mvn", Path(folder))
        LIST.write_text(format_list(jars_in(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
