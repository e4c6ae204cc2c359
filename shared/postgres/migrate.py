"""Migrations: the delivery shell's own, then the service's, into the service's schema (yoyo)."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from yoyo import get_backend, read_migrations

from shared.kernel.errors import StartError

_SHELL = Path(__file__).parent / "migrations"


def _url(dsn: str, schema: str) -> str:
    parts = urlsplit(dsn)
    return urlunsplit(("postgresql+psycopg", parts.netloc, parts.path, f"schema={schema}", ""))


def migrate(dsn: str, schema: str, folder: Path) -> list[str]:
    """Apply what is pending, in order, each in a transaction of its own; gives the names applied. Blocks."""
    with get_backend(_url(dsn, schema)) as backend:
        known = read_migrations(str(_SHELL), str(folder))
        with backend.lock():
            pending = backend.to_apply(known)
            names = [migration.id for migration in pending]
            backend.apply_migrations(pending)
    return names


def check_migrated(dsn: str, schema: str, folder: Path) -> None:
    """Raises StartError when the schema lacks a migration that this release needs. Blocks."""
    with get_backend(_url(dsn, schema)) as backend:
        pending = [migration.id for migration in backend.to_apply(read_migrations(str(_SHELL), str(folder)))]
    if pending:
        raise StartError(f"schema {schema} lacks {', '.join(pending)}: run `python -m services.{schema} migrate` first")
