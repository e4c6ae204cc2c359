"""Acts of some weeks of 2017 as lines of a replay batch, equal in every call."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from services.sla.domain.calendar import compile_calendar
from shared.kernel.centre import Centre
from tests.support.scenarios import Scenario, Step, plan

FIRST_DAY = date(2017, 5, 2)
STARTS_AT = datetime.fromisoformat("2017-05-02T00:00:00+07:00")
ENDS_AT = datetime.fromisoformat("2017-06-02T19:00:00+07:00")


def acts(centre: Centre, *, count: int, seed: int = 17) -> list[dict[str, Any]]:
    """The acts of `count` scenarios that start within two weeks, in time order.

    The acts of a dossier are minutes to days apart. Some are at night or on a Sunday, some at the same instant, and
    some are refused.
    """
    random = Random(seed)
    worktime = compile_calendar(centre.calendar).worktime
    dated: list[tuple[datetime, int, int, dict[str, Any]]] = []
    for scenario in plan(centre, FIRST_DAY, count=count, seed=seed):
        at = worktime.add(STARTS_AT, timedelta(minutes=random.randrange(5, 10 * 8 * 60)))
        for place, step in enumerate(scenario.steps):
            if place:
                at += timedelta(minutes=random.choice((0, 7, 95, 60 * 11, 60 * 24, 60 * 70)))
            if at <= ENDS_AT:
                dated.append((at, scenario.number, place, _line(scenario, place, step, at)))
    return [line for *_, line in sorted(dated, key=lambda one: one[:3])]


def _line(scenario: Scenario, place: int, step: Step, at: datetime) -> dict[str, Any]:
    return {
        "key": f"past-{scenario.number}-{place}",
        "act": step.act,
        "dossier": {"id": str(_dossier_id(scenario.number))},
        "occurred_at": at.isoformat(),
        "actor": _actor(step.key),
        "data": dict(step.data),
    }


def _dossier_id(number: int) -> UUID:
    """A UUIDv7 (RFC 9562) of the first instant, with the number in its random bits."""
    milliseconds = int(STARTS_AT.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | number)


def _actor(key: str) -> Mapping[str, Any]:
    role, _, rest = key.partition("-")
    if role == "clerk":
        return {"id": key, "role": "clerk", "counter": int(rest)}
    if role == "officer":
        return {"id": key, "role": "officer", "department": rest}
    if role == "leader":
        return {"id": key, "role": "leader"}
    return {"kind": "system", "id": key, "role": "applicant"}
