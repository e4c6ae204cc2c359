"""A class data sharing (CDS) archive for the broker, written once per user: all tests start about forty brokers."""

import tempfile
from pathlib import Path

from motcua.local.embedded import kafka
from motcua.local.embedded.jars import exclusive
from tests.support import free_port


def with_classes(toolchain: kafka.Toolchain) -> kafka.Toolchain:
    """A toolchain whose brokers start from the archive. One process writes the archive if it is missing. Blocks."""
    with exclusive(toolchain.jars.parent):
        if not toolchain.classes.exists():
            _write(toolchain)
    return toolchain.reading_classes()


def _write(toolchain: kafka.Toolchain) -> None:
    """Run a broker once; it writes its loaded classes when it ends. A Java without that feature writes no archive."""
    with tempfile.TemporaryDirectory(prefix="arriving-", dir=toolchain.jars.parent) as folder:
        arriving = Path(folder, "classes")
        writes = toolchain.writing_classes(arriving)
        broker = kafka.single(writes, Path(folder, "kafka"), port=free_port(), controller_port=free_port())
        try:
            broker.start()
        finally:
            if broker.child is not None:
                broker.child.stop(timeout_seconds=120)
        if arriving.exists():
            arriving.rename(toolchain.classes)
