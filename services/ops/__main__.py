"""The command line of ops: `python -m services.ops run|rebuild|check-config`."""

import asyncio
import sys

import structlog

from services.ops.app import run
from services.ops.settings import OpsSettings
from services.ops.views.rebuild import rebuild
from shared.catalogue import load_centre
from shared.kernel.errors import MotcuaError, StartError
from shared.runtime import logs
from shared.runtime.settings import load

VIEWS_EMPTIED = "views_emptied"

log = structlog.get_logger(__name__)


def main() -> int:
    """Run the command in `sys.argv`, print an error if it fails, and return the exit status.

    0: done; 1: a part failed; 2: wrong usage; 3: wrong environment (settings, files, a missing system). ops has no
    schema, so there is no command `migrate`.
    """
    command = sys.argv[1] if len(sys.argv) == 2 else ""
    if command not in ("run", "rebuild", "check-config"):
        print("usage: python -m services.ops run|rebuild|check-config", file=sys.stderr)  # noqa: T201 - output of the command
        return 2
    try:
        settings = load(OpsSettings)
        logs.configure("ops", settings.log_level, member=settings.member)
        if command == "rebuild":
            asyncio.run(rebuild(settings.kafka_bootstrap))
            log.info(VIEWS_EMPTIED)
        elif command == "check-config":
            centre = load_centre(settings.centre)
            log.info("config_is_good", centre=centre.code, version=centre.catalogue_version)
        else:
            asyncio.run(run(settings))
    except (MotcuaError, OSError) as error:
        print(f"ops: {error}", file=sys.stderr)  # noqa: T201 - output of the command
        missing = isinstance(error, (StartError, OSError)) or isinstance(error.__cause__, StartError)
        return 3 if missing else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
