"""What must stand before a service starts: database, migrations, topics, keys. Each step may be taken again."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import services as services_package
from motcua.local.database import SERVICES, create_database, open_to_ops
from motcua.local.keys import IMPORTER, Wanted, ensure_keys, keys_of
from motcua.local.settings import MotcuaSettings
from shared.catalogue import load_centre
from shared.contracts.topics import ALL_TOPICS
from shared.kernel.centre import Centre
from shared.messaging.admin import create_topics
from shared.postgres.migrate import migrate
from shared.postgres.preparation import record_prepared
from shared.runtime.clock import machine_now

Progress = Callable[[str], None]


def prepare(settings: MotcuaSettings, progress: Progress) -> None:
    """Make ready an existing Kafka and Postgres, and the keys below MOTCUA_HOME. Blocks.

    Raises StartError with the reason, TopicsDifferError for topics with other settings.
    """
    centre = load_centre(settings.centre)
    ensure_keys(settings.home, keys_wanted(settings, centre))
    progress(f"Keys stand in {settings.home}")
    prepare_database(settings, SERVICES, progress, catalogue_version=centre.catalogue_version)
    asyncio.run(create_topics(settings.bootstrap, ALL_TOPICS, replication=settings.kafka_replication))
    progress("Topics stand")


def keys_wanted(settings: MotcuaSettings, centre: Centre) -> list[Wanted]:
    """The keys of a centre on its first day; one whose time is set has an importer's, too."""
    first_day = centre.local_date(settings.clock_starts_at or machine_now())
    importers = [Wanted(IMPORTER, "importer", system=True)] if settings.clock == "simulated" else []
    return [*keys_of(centre, first_day), *importers]


def prepare_database(
    settings: MotcuaSettings, services: Iterable[str], progress: Progress, *, catalogue_version: str
) -> None:
    """Roles, schemas and rights of all, then the migrations of `services`, which from then on start with this
    configuration alone. Blocks."""
    create_database(settings.admin_url, passwords=settings.passwords)
    for service in services:
        folder = Path(services_package.__path__[0]) / service / "migrations"
        for name in migrate(settings.database_url(service), service, folder):
            progress(f"Migrated {service}: {name}")
        open_to_ops(settings.admin_url, service)
        asyncio.run(record_prepared(settings.database_url(service), service, catalogue_version))
