"""Receiving places decided again from intake's events and the configuration, held against routing's rows and events."""

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
    """Each dossier's place, department and reason are what the rules, and the decisions in force, give for the local
    date of its submission."""
    signed = await connection.fetch(f"select {', '.join(DECISIONS.columns)} from routing.decisions")
    decisions = Decisions(row.to_decision() for row in DECISIONS.records(signed))
    rows = await connection.fetch("select dossier_id::text as key, published from routing.dossiers")
    kept = {row["key"]: _kept(row["published"]) for row in rows}
    told = histories[ASSIGNMENTS.name].by_key
    findings = []
    for key, events in histories[DOSSIERS.name].by_key.items():
        expected = _plain(rebuild_assignment([event.event() for event in events], centre, decisions))
        last = _plain(told[key][-1].event().data) if key in told else None
        if expected != last:
            findings.append(
                Finding("assignment", key, f"routing told {_place(last)}, the rules give {_place(expected)}")
            )
        row = kept.get(key)
        if expected is not None and row != expected:
            findings.append(
                Finding("assignment", key, f"routing's row says {_place(row)}, the rules {_place(expected)}")
            )
    return findings


def _plain(data: object) -> dict[str, object] | None:
    return _without_sequence(data.model_dump(mode="json")) if isinstance(data, _Assignment) else None


def _kept(assignment: str | None) -> dict[str, object] | None:
    """What a row says, read as the event that it was: one of an older release lacks what was added since."""
    if assignment is None:
        return None
    kept = json.loads(assignment)
    model = AssignmentDecidedV1 if "competent_department" in kept else AssignmentWaitingV1
    return _plain(model.model_validate_json(assignment, context=READER_CONTEXT))


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
