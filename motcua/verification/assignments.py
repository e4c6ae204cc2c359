"""Decide each assignment again from intake's events and the configuration; compare it with routing's row and event."""

import json
from collections.abc import Mapping

import asyncpg

from motcua.verification.findings import Finding
from motcua.verification.history import History
from services.routing.assignments.rebuild import rebuild_assignment
from services.routing.domain.decisions import Decisions
from services.routing.general_counter.store import DECISIONS
from shared.contracts.assignments import AssignmentDecidedV1, AssignmentWaitingV1
from shared.contracts.envelope import READER_CONTEXT
from shared.contracts.topics import ASSIGNMENTS, DOSSIERS
from shared.kernel.centre import Centre

_Assignment = AssignmentDecidedV1 | AssignmentWaitingV1


async def check(connection: asyncpg.Connection, centre: Centre, histories: Mapping[str, History]) -> list[Finding]:
    """Return findings for dossiers whose assignment in routing's row or last event is not what the rules give.

    The rules, and the signed decisions about the general counter, are those in force on the local date of submission.
    """
    signed = await connection.fetch(f"select {', '.join(DECISIONS.columns)} from routing.decisions")
    decisions = Decisions(row.to_decision() for row in DECISIONS.records(signed))
    rows = await connection.fetch("select dossier_id::text as key, published from routing.dossiers")
    stored = {row["key"]: _stored(row["published"]) for row in rows}
    published = histories[ASSIGNMENTS.name].by_key
    findings = []
    for key, events in histories[DOSSIERS.name].by_key.items():
        expected = _comparable(rebuild_assignment([event.event() for event in events], centre, decisions))
        last = _comparable(published[key][-1].event().data) if key in published else None
        if expected != last:
            findings.append(
                Finding("assignment", key, f"routing published {_place(last)}, but the rules give {_place(expected)}.")
            )
        row = stored.get(key)
        if expected is not None and row != expected:
            findings.append(
                Finding("assignment", key, f"routing's row has {_place(row)}, but the rules give {_place(expected)}.")
            )
    return findings


def _comparable(data: object) -> dict[str, object] | None:
    return _without_sequence(data.model_dump(mode="json")) if isinstance(data, _Assignment) else None


def _stored(assignment: str | None) -> dict[str, object] | None:
    """Decode the assignment in a row of routing for comparison; None stays None.

    Members that an older release did not store get their defaults.
    """
    if assignment is None:
        return None
    content = json.loads(assignment)
    model = AssignmentDecidedV1 if "competent_department" in content else AssignmentWaitingV1
    return _comparable(model.model_validate_json(assignment, context=READER_CONTEXT))


def _without_sequence(data: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in data.items() if name != "dossier_sequence"}


def _place(data: Mapping[str, object] | None) -> str:
    if data is None:
        return "nothing"
    if "receiving_place" not in data:
        return f"waiting for {data.get('waiting_for', 'an entry')}"
    place = data["receiving_place"]
    kind = place.get("kind") if isinstance(place, dict) else place
    return f"{kind} counters, department {data.get('competent_department')}"
