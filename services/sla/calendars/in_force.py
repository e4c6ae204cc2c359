"""The calendar in force: each process compiles the version that the database has, and follows its changes."""

import asyncio

import asyncpg

from services.sla.calendars.store import CALENDARS, calendar_version
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.rules import DerivationRules
from shared.postgres.pool import Connection


async def follow(rules: DerivationRules, connection: "Connection | asyncpg.Pool") -> None:
    """Put the calendar version of the database in force in these rules; compiling a new one takes some 20 ms.

    A transaction that decides about dossiers calls this after it locked their rows. The version by which a row was
    written was committed before; so no row is decided by an older version than it was written by.
    """
    name = rules.calendar.rules.name
    if await calendar_version(connection, name) == rules.calendar_version:
        return
    row = await CALENDARS.read(connection, name)
    if row is None or row.rules is None or row.version <= rules.calendar_version:
        return  # another task of this process was faster
    rules.use_calendar(compile_calendar(row.calendar_rules()), row.version, row.versions())


async def calendar_of(rules: DerivationRules, version: int) -> Calendar:
    """The calendar in that version; an older version is compiled in a thread (some 20 ms)."""
    if version == rules.calendar_version:
        return rules.calendar
    return await asyncio.to_thread(compile_calendar, rules.calendar_rules_of(version))
