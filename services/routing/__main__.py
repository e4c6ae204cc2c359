"""Command line: `python -m services.routing run|migrate|check-config`."""

import sys
from pathlib import Path

from services.routing.app import build
from services.routing.settings import RoutingSettings
from shared.service.process import main

if __name__ == "__main__":
    sys.exit(main("routing", RoutingSettings, build, migrations=Path(__file__).parent / "migrations"))
