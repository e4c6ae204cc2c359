"""Input of a replay: a log, a mapping and a centre, read from files and checked before anything is played."""

from pathlib import Path

from motcua.lab.scenarios.event_log.files import read_log
from motcua.lab.scenarios.event_log.mapping import read_mapping
from motcua.lab.scenarios.event_log.mapping_draft import draft_mapping
from motcua.lab.scenarios.event_log.plan import Plan, plan
from shared.catalogue import load_centre


def mapping_draft(file: Path, *, delimiter: str = ",") -> str:
    """Draft a mapping for a log file and return its text; its system is named after the file.

    Raises LogRefusedError, and StartError if the file cannot be read.
    """
    log = read_log(file, delimiter=delimiter)
    stem = file.name.split(".", 1)[0].lower()[:64]
    return draft_mapping(log, system="".join(char if char.isascii() and char.isalnum() else "-" for char in stem))


def load_plan(file: Path, mapping_file: Path, centre: Path | None = None) -> Plan:
    """Read a log, its mapping and a centre's folder (default: the mapping's folder), and return the plan of its acts.

    Blocks on the disk. Raises LogRefusedError with the faults, StartError for a missing file or folder.
    """
    mapping = read_mapping(mapping_file)
    log = read_log(file, delimiter=mapping.delimiter)
    return plan(log, mapping, load_centre(centre or mapping_file.parent), mapping_file=mapping_file.name)
