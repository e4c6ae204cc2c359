"""The broker's classes kept as Java has loaded them, once a clone: a run of all tests starts some forty brokers."""

import fcntl
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from motcua.local.embedded import kafka
from tests.support import free_port


def with_classes(toolchain: kafka.Toolchain) -> kafka.Toolchain:
    """The toolchain whose brokers start from kept classes; who comes second waits for them. Blocks."""
    folder = os.open(toolchain.jars.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not toolchain.classes.exists():
            _keep(toolchain)
    finally:
        os.close(folder)
    return replace(toolchain, options=(f"-XX:SharedArchiveFile={toolchain.classes}",))


def _keep(toolchain: kafka.Toolchain) -> None:
    """What a broker has loaded when it ends; it writes the file then."""
    with tempfile.TemporaryDirectory(prefix="arriving-", dir=toolchain.jars.parent) as folder:
        arriving = Path(folder, "classes.jsa")
        writes = replace(toolchain, options=(f"-XX:ArchiveClassesAtExit={arriving}",))
        broker = kafka.single(writes, Path(folder, "kafka"), port=free_port(), controller_port=free_port())
        try:
            broker.start()
        finally:
            if broker.child is not None:
                broker.child.stop(timeout_seconds=120)
        arriving.rename(toolchain.classes)
