"""An event log checked against a mapping and a centre before anything is played, told in sentences."""

from collections.abc import Iterator
from pathlib import Path

from motcua.lab.scenarios.event_log.files import read_log
from motcua.lab.scenarios.event_log.mapping import read_mapping
from motcua.lab.scenarios.event_log.mapping_draft import suggest
from motcua.lab.scenarios.event_log.plan import Plan, plan
from shared.catalogue import load_centre


def drafted(file: Path, *, delimiter: str = ",") -> str:
    """A draft of a mapping for the log. Raises LogRefusedError, StartError."""
    log = read_log(file, delimiter=delimiter)
    stem = file.name.split(".", 1)[0].lower()[:64]
    return suggest(log, system="".join(char if char.isascii() and char.isalnum() else "-" for char in stem))


def planned(file: Path, mapping_file: Path, centre: Path | None = None) -> Plan:
    """What the log comes to at a centre; without one, at the centre in whose folder the mapping lies.

    Raises LogRefusedError with every fault, StartError for a file or folder that is not there.
    """
    mapping = read_mapping(mapping_file)
    log = read_log(file, delimiter=mapping.delimiter)
    return plan(log, mapping, load_centre(centre or mapping_file.parent), mapping_file=mapping_file.name)


def told(found: Plan, file: Path) -> Iterator[str]:
    """The plan in sentences, every anomaly with its place."""
    days = f"from {found.first_date} to {found.last_date}"
    yield f"{len(found.cases)} cases, {found.rows} rows, {len(found.acts)} acts {days}."
    for kind, count in sorted(found.cases_with().items()):
        yield f"{kind}: {count} {'case' if count == 1 else 'cases'}."
    if found.left_out:
        yield f"Attributes within others have no place in a dossier and are left out: {', '.join(found.left_out)}."
    for anomaly in found.anomalies:
        yield f"  {file.name}:{anomaly.line}: {anomaly.case}: {anomaly.kind}: {anomaly.says}"
