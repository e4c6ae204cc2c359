"""The command line of intake: `python -m services.intake run|migrate|check-config`."""

import sys
from pathlib import Path

from services.intake.app import build
from services.intake.settings import IntakeSettings
from shared.service.process import main

MIGRATIONS = Path(__file__).parent / "migrations"

if __name__ == "__main__":
    sys.exit(main("intake", IntakeSettings, build, migrations=MIGRATIONS))
