"""The OpenAPI documents of the services, built without database and broker.

`python -m tests.architecture.openapi_documents <folder>` writes each as `<folder>/<service>.json`, for other linters.
"""

import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from fastapi import APIRouter

from shared.service import openapi
from shared.service.http import create_app
from tests.architecture.surface.openapi import WITHOUT_CLOCK, built
from tests.architecture.tree import SERVICES


@cache
def documents() -> Mapping[str, dict[str, Any]]:
    """The document of each service. Routers that need objects of a process are built with mocks."""
    return {service: _document(service) for service in SERVICES}


def _document(service: str) -> dict[str, Any]:
    app = create_app(
        f"motcua {service}", description=openapi.DESCRIPTIONS[service], health=MagicMock(), keys=MagicMock()
    )
    folders = [f"services/{service}", *([] if service in WITHOUT_CLOCK else ["shared"])]
    openapi.include_routers(app, [router for folder in folders for router in built(folder, APIRouter)])
    return app.openapi()


def main() -> None:
    """Write the documents."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for service, document in documents().items():
        (folder / f"{service}.json").write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
