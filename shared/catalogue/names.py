"""The names that a centre's folder knows: a file under any other one would count for nothing, and nobody would see."""

from shared.catalogue.files import KNOWN, CentreFiles, Problems
from shared.kernel.words import did_you_mean

MAPPING = "mapping.toml"  # how the names of mappings end; `motcua replay` looks for the centre beside them


def check_names(files: CentreFiles, problems: Problems) -> None:
    """Every file and folder at the top is one that is read; within messages/, every file is a version of the texts.

    What lies in calendars/ is held against calendars.csv when that is read.
    """
    strange: set[str] = set()
    for path in files.content:
        first, folder, rest = path.partition("/")
        name = first + folder
        if name == "messages/" and ("/" in rest or not rest.endswith(".toml")):
            problems.add(path, "is no version of the texts, which are messages/*.toml: rename it, or move it away")
        elif name not in KNOWN and not name.endswith(MAPPING):
            strange.add(name)
    for name in sorted(strange):
        what = "folder" if name.endswith("/") else "file"
        hint = did_you_mean(name, KNOWN)
        listed = f"{', '.join(KNOWN)} and *{MAPPING}"
        problems.add(name, f"a centre has no {what} of this name{hint}: rename it, or move it away; known are {listed}")
