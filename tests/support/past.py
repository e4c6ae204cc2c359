"""A small past: acts of some weeks of 2017, as lines of a batch, the same at every call."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from services.sla.domain.calendar import compile_calendar
from shared.kernel.centre import Centre
from tests.support.lives import Life, Step, plan

FIRST_DAY = date(2017, 5, 2)
STARTS_AT = datetime.fromisoformat("2017-05-02T00:00:00+07:00")
ENDS_AT = datetime.fromisoformat("2017-06-02T19:00:00+07:00")


def acts(centre: Centre, *, count: int, seed: int = 17) -> list[dict[str, Any]]:
    """`count` lives begun within two weeks, in time order: steps hours and days apart, some at night or on a Sunday,
    some at one instant, some of them refused."""
    random = Random(seed)
    worktime = compile_calendar(centre.calendar).worktime
    told: list[tuple[datetime, int, int, dict[str, Any]]] = []
    for life in plan(centre, FIRST_DAY, count=count, seed=seed):
        at = worktime.add(STARTS_AT, timedelta(minutes=random.randrange(5, 10 * 8 * 60)))
        for place, step in enumerate(life.steps):
            if place:
                at += timedelta(minutes=random.choice((0, 7, 95, 60 * 11, 60 * 24, 60 * 70)))
            if at <= ENDS_AT:
                told.append((at, life.number, place, _line(life, place, step, at)))
    return [line for *_, line in sorted(told, key=lambda one: one[:3])]


def _line(life: Life, place: int, step: Step, at: datetime) -> dict[str, Any]:
    return {
        "key": f"past-{life.number}-{place}",
        "act": step.act,
        "dossier": {"id": str(_dossier_id(life.number))},
        "occurred_at": at.isoformat(),
        "actor": _actor(step.key),
        "data": dict(step.data),
    }


def _dossier_id(number: int) -> UUID:
    """A UUIDv7 (RFC 9562) of the centre's first instant, told apart by its number."""
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
