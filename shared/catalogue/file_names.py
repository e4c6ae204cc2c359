"""The check of the names in a centre's folder: a file with an unknown name would be ignored silently."""

from shared.catalogue.faults import KNOWN, Faults
from shared.catalogue.files import CentreFiles
from shared.kernel.words import did_you_mean

MAPPING = "mapping.toml"  # the end of a mapping's name; `motcua replay` expects the centre next to it


def check_names(files: CentreFiles, faults: Faults) -> None:
    """Add a fault for each unknown file or folder, and for each file below messages/ that is not messages/*.toml.

    The files in calendars/ are compared with calendars.csv when that is read.
    """
    unknown: set[str] = set()
    for path in files.content:
        first, folder, rest = path.partition("/")
        name = first + folder
        if name == "messages/" and ("/" in rest or not rest.endswith(".toml")):
            faults.add(
                path,
                "Not a version of the texts, which are messages/*.toml. Rename it, or move it to another folder.",
            )
        elif name not in KNOWN and not name.endswith(MAPPING):
            unknown.add(name)
    for name in sorted(unknown):
        what = "folder" if name.endswith("/") else "file"
        hint = did_you_mean(name, KNOWN)
        listed = f"{', '.join(KNOWN)} and *{MAPPING}"
        faults.add(name, f"Unknown {what}{hint}. Rename it, or move it to another folder. Known are {listed}.")
