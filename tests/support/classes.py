"""The archive of the broker's classes, written once for a user: a run of all tests starts some forty brokers."""

import tempfile
from pathlib import Path

from motcua.local.embedded import kafka
from motcua.local.embedded.jars import exclusive
from tests.support import free_port


def with_classes(toolchain: kafka.Toolchain) -> kafka.Toolchain:
    """The toolchain whose brokers start from the archive; a second process waits for it. Blocks."""
    with exclusive(toolchain.jars.parent):
        if not toolchain.classes.exists():
            _write(toolchain)
    return toolchain.reading_classes()


def _write(toolchain: kafka.Toolchain) -> None:
    """A broker writes what it has loaded when it ends. A Java that cannot do that goes without."""
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
