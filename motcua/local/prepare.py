"""Prepare a centre before its services start: API keys, database, migrations, topics. Each step is idempotent."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import services as services_package
from motcua.local.database import SERVICES, create_database, grant_to_ops
from motcua.local.keys import IMPORTER, KeySpec, ensure_keys, key_specs
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
    """Create the API keys in MOTCUA_HOME, the database with its migrations, and the topics, as far as missing. Blocks.

    Kafka and Postgres must run. Raises StartError with the reason, TopicsDifferError if existing topics have other
    settings.
    """
    centre = load_centre(settings.centre)
    ensure_keys(settings.home, required_keys(settings, centre))
    progress(f"API keys are in {settings.home}.")
    prepare_database(settings, SERVICES, progress, catalogue_version=centre.catalogue_version)
    asyncio.run(create_topics(settings.bootstrap, ALL_TOPICS, replication=settings.kafka_replication))
    progress("Topics are ready.")


def required_keys(settings: MotcuaSettings, centre: Centre) -> list[KeySpec]:
    """Specify the API keys that the centre needs on the date of `clock_starts_at`, or today if it is not set.

    With a simulated clock that includes the importer's key. Creates none.
    """
    first_day = centre.local_date(settings.clock_starts_at or machine_now())
    importers = [KeySpec(IMPORTER, "importer", system=True)] if settings.clock == "simulated" else []
    return [*key_specs(centre, first_day), *importers]


def prepare_database(
    settings: MotcuaSettings, services: Iterable[str], progress: Progress, *, catalogue_version: str
) -> None:
    """Create the database with roles, schemas and grants, as far as missing, and migrate `services`. Blocks; commits.

    Also stores `catalogue_version`: afterwards these services start only with this version of the configuration.
    Raises StartError with the reason.
    """
    create_database(settings.admin_url, passwords=settings.passwords)
    for service in services:
        folder = Path(services_package.__path__[0]) / service / "migrations"
        for name in migrate(settings.database_url(service), service, folder):
            progress(f"Migrated {service}: {name}.")
        grant_to_ops(settings.admin_url, service)
        asyncio.run(record_prepared(settings.database_url(service), service, catalogue_version))
