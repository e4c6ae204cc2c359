"""Command line of sla: `python -m services.sla run|migrate|check-config`."""

import sys
from pathlib import Path

from services.sla.app import build
from services.sla.settings import SlaSettings
from shared.service.process import main

if __name__ == "__main__":
    sys.exit(main("sla", SlaSettings, build, migrations=Path(__file__).parent / "migrations"))
