"""Event log files: CSV or XES by the file's name, with or without gzip, up to 1 GB after decompression."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from motcua.lab.scenarios.event_log.csv_log import read_csv
from motcua.lab.scenarios.event_log.log import MAX_BYTES, Log, LogRefusedError
from motcua.lab.scenarios.event_log.xes_log import read_xes
from shared.catalogue.faults import Fault
from shared.kernel.errors import StartError

_CHUNK = 1 << 20


def read_log(path: Path, *, delimiter: str = ",") -> Log:
    """Read the whole log in a file named `*.csv`, `*.xes`, or either with `.gz`. Blocks on the disk.

    `delimiter` is that of a CSV. Raises LogRefusedError for another name, a file that is too large or has faults, and
    StartError if the file cannot be read.
    """
    name = path.name.lower().removesuffix(".gz")
    compressed = path.name.lower().endswith(".gz")
    if name.endswith(".xes"):
        return read_xes(path.name, _chunks(path, compressed=compressed))
    if name.endswith(".csv"):
        return read_csv(path.name, b"".join(_chunks(path, compressed=compressed)), delimiter=delimiter)
    raise LogRefusedError(
        [Fault(path.name, "The name must end in .csv or .xes, or either with .gz; it determines the format.")]
    )


def _chunks(path: Path, *, compressed: bool) -> Iterator[bytes]:
    length = 0
    try:
        with gzip.open(path) if compressed else path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                length += len(chunk)
                if length > MAX_BYTES:
                    raise LogRefusedError(
                        [Fault(path.name, f"Longer than {MAX_BYTES >> 20} MB after decompression. Split the log.")]
                    )
                yield chunk
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LogRefusedError([Fault(path.name, f"Not a complete gzip file ({error}). Copy it again.")]) from error
    except OSError as error:
        raise StartError(f"{path}: Cannot be read ({error.strerror}). Name an existing file.") from error
