"""Every event that calls for an alert has its plan, every plan an event behind it, and an outcome or a reason."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import asyncpg

from motcua.verification.findings import Finding
from motcua.verification.history import History
from services.notify.planning.expected_plans import ExpectedPlan, expected_plans
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.messages import MessageEvent, MessagePlannedV1
from shared.contracts.topics import ASSIGNMENTS, DEADLINES, DOSSIERS, MESSAGES


async def check(connection: asyncpg.Connection, histories: Mapping[str, History]) -> tuple[int, list[Finding]]:
    """The number of plans called for, and what is wrong with them."""
    called = {plan.message_id: plan for plan in _called_for(histories)}
    told: dict[UUID, list[MessageEvent]] = {}
    subjects: dict[UUID, str] = {}
    for key, envelopes in histories[MESSAGES.name].by_key.items():
        for kept in envelopes:
            data = kept.event().data
            if isinstance(data, MessageEvent):
                told.setdefault(data.message_id, []).append(data)
                subjects[data.message_id] = key
    rows = {row["message_id"] for row in await connection.fetch("select message_id from notify.messages")}
    findings = []
    for plan in called.values():
        events = told.get(plan.message_id, [])
        findings += [
            Finding("alert", str(plan.dossier_id), f"{plan.moment} by {plan.channel} ({plan.message_id}) {lack}")
            for lack in _lacks(plan, events, kept=plan.message_id in rows)
        ]
    findings += [
        Finding(
            "alert",
            subjects.get(message_id, str(message_id)),
            f"message {message_id} was planned, no event calls for it",
        )
        for message_id in (told.keys() | rows) - called.keys()
    ]
    return len(called), findings


def _called_for(histories: Mapping[str, History]) -> list[ExpectedPlan]:
    def of_one(key: str) -> Iterable[AnyEnvelope]:
        for topic in (ASSIGNMENTS, DEADLINES, DOSSIERS):
            for kept in histories[topic.name].by_key.get(key, ()):
                yield kept.event()

    return [plan for key in histories[DOSSIERS.name].by_key for plan in expected_plans(of_one(key))]


def _lacks(plan: ExpectedPlan, events: list[MessageEvent], *, kept: bool) -> Iterable[str]:
    planned = [event for event in events if isinstance(event, MessagePlannedV1)]
    if not kept:
        yield "is not kept by notify"
    if not planned:
        yield "is called for and was not planned"
    elif len(planned) > 1:
        yield f"was planned {len(planned)} times"
    elif (planned[0].channel, planned[0].moment, planned[0].dossier_sequence, planned[0].template) != (
        plan.channel,
        plan.moment,
        plan.dossier_sequence,
        plan.template,
    ):
        yield f"was planned as {planned[0].moment} by {planned[0].channel} from template {planned[0].template}"
    if planned and len(events) == len(planned):
        yield "has neither an outcome nor a reason"
