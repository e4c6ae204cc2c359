"""Maven: copies the jars of `pom.xml` with the user's own settings and mirrors.

Run as a program (`make jars`), this module writes the list of the jars again.
"""

import hashlib
import subprocess
import tempfile
from pathlib import Path

from motcua.local.embedded.jar_list import LIST, Jar, written

_POM = Path(__file__).with_name("pom.xml")
_SECONDS = 600


def copy_jars(maven: str, folder: Path) -> None:
    """Copy all jars into the folder, which then has the layout of a Maven repository.

    Blocks for some seconds, and for as long as a download takes. Raises OSError or SubprocessError if Maven fails.
    """
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-Dmdep.useRepositoryLayout=true"]
    subprocess.run(
        [maven, "-q", "-B", "-f", str(_POM), *goal], capture_output=True, text=True, timeout=_SECONDS, check=True
    )


def jars_in(folder: Path) -> list[Jar]:
    """The jars in a folder that has the layout of a Maven repository."""
    return [
        Jar(".".join(group), artifact, version, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*.jar")
        for *group, artifact, version, _ in [path.relative_to(folder).parts]
    ]


def main() -> None:
    """Write the list."""
    with tempfile.TemporaryDirectory(prefix="motcua-jars-") as folder:
        copy_jars("mvn", Path(folder))
        LIST.write_text(written(jars_in(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
