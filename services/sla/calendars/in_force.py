"""The calendar in force: each process compiles the version in the database, and a newer one when it appears there."""

import asyncio

import asyncpg

from services.sla.calendars.store import CALENDARS, calendar_version
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.rules import DerivationRules
from shared.postgres.pool import Connection


async def follow(rules: DerivationRules, connection: "Connection | asyncpg.Pool") -> None:
    """Put the calendar version of the database in force in `rules`, if it is newer than the version in `rules`.

    Compiling a new version blocks the process for some 20 ms. A transaction that decides about dossiers calls this
    after it locked their rows. The calendar version named in a row was committed before; so no row is derived by an
    older version than last time.
    """
    name = rules.calendar.rules.name
    if await calendar_version(connection, name) == rules.calendar_version:
        return
    row = await CALENDARS.read(connection, name)
    if row is None or row.rules is None or row.version <= rules.calendar_version:
        return  # another task of this process was faster
    rules.use_calendar(compile_calendar(row.calendar_rules()), row.version, row.versions())


async def calendar_of(rules: DerivationRules, version: int) -> Calendar:
    """Return the compiled calendar of a version; the calendar in force if the version is unknown.

    Any version but the one in force is compiled in a thread (some 20 ms).
    """
    if version == rules.calendar_version:
        return rules.calendar
    return await asyncio.to_thread(compile_calendar, rules.calendar_rules_of(version))
