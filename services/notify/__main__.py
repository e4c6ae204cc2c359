"""The command line of notify: `python -m services.notify run|migrate|check-config`."""

import sys
from pathlib import Path

from services.notify.app import build
from services.notify.settings import NotifySettings
from services.notify.texts import load_texts
from shared.service.process import main

MIGRATIONS = Path(__file__).parent / "migrations"

if __name__ == "__main__":
    sys.exit(main("notify", NotifySettings, build, migrations=MIGRATIONS, check=load_texts))
