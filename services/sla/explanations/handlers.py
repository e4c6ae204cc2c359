"""The explanation of a clock's due date, as known now or at a past instant."""

import asyncio
from datetime import datetime

from services.sla.clocks.store import ClockRow
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.clock import derive_by_catalogue, recorded_by
from services.sla.domain.errors import NotKnownError, NotReceivedError
from services.sla.domain.explanation import Explanation, explain
from services.sla.domain.rules import DerivationRules

_POINTER = "/query/as_known_at"


async def explain_clock(
    row: ClockRow, rules: DerivationRules, calendar: Calendar, *, as_known_at: datetime | None, now: datetime
) -> Explanation:
    """Derive a clock's deadline by `calendar` and return its explanation.

    With `as_known_at`, it uses the changes that were recorded, and the calendar that was known, by then; another
    calendar than `calendar` is compiled in a thread (some 20 ms). Raises NotReceivedError, and NotKnownError if
    `as_known_at` is in the future or before the receipt was recorded.
    """
    if row.procedure is None:
        raise NotReceivedError
    changes, known = row.clock_changes(), calendar
    if as_known_at is not None:
        if as_known_at > now:
            raise NotKnownError(instant=as_known_at.isoformat(), why="it is in the future", pointer=_POINTER)
        changes = recorded_by(changes, as_known_at)
        if not changes:
            why = "the receipt was recorded later"
            raise NotKnownError(instant=as_known_at.isoformat(), why=why, pointer=_POINTER)
        calendar_rules = rules.calendar_rules_known_at(as_known_at)
        if calendar_rules is not calendar.rules:
            known = await asyncio.to_thread(compile_calendar, calendar_rules)
    found = derive_by_catalogue(row.procedure, changes, rules.centre, known)
    return explain(found, known, as_known_at)
