"""Which file it is, and its bytes: plain or packed, never more of them than fit."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from motcua.lab.scenarios.event_log.csv_log import read_csv
from motcua.lab.scenarios.event_log.log import MAX_BYTES, Fault, Log, LogRefusedError
from motcua.lab.scenarios.event_log.xes_log import read_xes
from shared.kernel.errors import StartError

_CHUNK = 1 << 20


def read_log(path: Path, *, delimiter: str = ",") -> Log:
    """The log in a file named `*.csv`, `*.xes`, or either with `.gz`. Blocks on the disk.

    Raises LogRefusedError with the faults of its form, StartError if the file cannot be opened at all.
    """
    name = path.name.lower().removesuffix(".gz")
    packed = path.name.lower().endswith(".gz")
    if name.endswith(".xes"):
        return read_xes(path.name, _chunks(path, packed=packed))
    if name.endswith(".csv"):
        return read_csv(path.name, b"".join(_chunks(path, packed=packed)), delimiter=delimiter)
    raise LogRefusedError([Fault(path.name, "what it holds is told by its name: .csv or .xes, either also with .gz")])


def _chunks(path: Path, *, packed: bool) -> Iterator[bytes]:
    length = 0
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                length += len(chunk)
                if length > MAX_BYTES:
                    raise LogRefusedError([Fault(path.name, f"longer than {MAX_BYTES >> 20} MB unpacked: split it")])
                yield chunk
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LogRefusedError([Fault(path.name, f"not a whole gzip file ({error}): fetch it again")]) from error
    except OSError as error:
        raise StartError(f"{path}: cannot be read ({error.strerror}): name a file that is there") from error
