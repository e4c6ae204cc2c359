"""Migrations (yoyo) of a service's schema: first the delivery tables, then the service's own."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from yoyo import get_backend, read_migrations
from yoyo.backends import DatabaseBackend
from yoyo.migrations import MigrationList

from shared.kernel.errors import StartError

_DELIVERY = Path(__file__).parent / "migrations"


def _url(dsn: str, schema: str) -> str:
    parts = urlsplit(dsn)
    return urlunsplit(("postgresql+psycopg", parts.netloc, parts.path, f"schema={schema}", ""))


def migrate(dsn: str, schema: str, folder: Path) -> list[str]:
    """Apply the pending migrations in order, each in its own transaction, and return their names.

    Synchronous: blocks the calling thread. Raises StartError for a schema of a release that this one cannot upgrade.
    """
    with get_backend(_url(dsn, schema)) as backend:
        known = read_migrations(str(_DELIVERY), str(folder))
        with backend.lock():
            _require_known(backend, known, schema)
            pending = backend.to_apply(known)
            names = [migration.id for migration in pending]
            backend.apply_migrations(pending)
    return names


def check_migrated(dsn: str, schema: str, folder: Path) -> None:
    """Raise StartError if the schema lacks a migration, or is of a release that this one cannot upgrade.

    Applies nothing. Synchronous: blocks the calling thread.
    """
    with get_backend(_url(dsn, schema)) as backend:
        known = read_migrations(str(_DELIVERY), str(folder))
        _require_known(backend, known, schema)
        pending = [migration.id for migration in backend.to_apply(known)]
    if pending:
        raise StartError(f"Schema {schema} lacks {', '.join(pending)}. Run `python -m services.{schema} migrate`.")


def _require_known(backend: DatabaseBackend, known: MigrationList, schema: str) -> None:
    """Raise StartError if a migration was applied that this release does not have.

    yoyo stores the hash of each applied migration's name; an unknown hash belongs to another release.
    """
    applied = set(backend.get_applied_migration_hashes())
    if applied - {migration.hash for migration in known}:
        raise StartError(
            f"Schema {schema} was created by another release, which this one cannot upgrade. Use an empty "
            "database (for a local centre, another MOTCUA_HOME)."
        )
