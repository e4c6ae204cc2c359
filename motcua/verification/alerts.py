"""Check that every event that requires an alert has exactly one planned message, and that each has an outcome."""

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
    """Derive the required messages from the events; compare them with notify's events and table.

    Return the number of required messages, and the findings. `histories` maps topic names to histories.
    """
    required = {plan.message_id: plan for plan in _required_messages(histories)}
    published: dict[UUID, list[MessageEvent]] = {}
    subjects: dict[UUID, str] = {}
    for key, envelopes in histories[MESSAGES.name].by_key.items():
        for stored in envelopes:
            data = stored.event().data
            if isinstance(data, MessageEvent):
                published.setdefault(data.message_id, []).append(data)
                subjects[data.message_id] = key
    rows = {row["message_id"] for row in await connection.fetch("select message_id from notify.messages")}
    findings = []
    for plan in required.values():
        events = published.get(plan.message_id, [])
        findings += [
            Finding(
                "alert",
                str(plan.dossier_id),
                f"the message {plan.message_id} ({plan.moment} by {plan.channel}) {fault}.",
            )
            for fault in _faults(plan, events, in_table=plan.message_id in rows)
        ]
    findings += [
        Finding(
            "alert",
            subjects.get(message_id, str(message_id)),
            f"the message {message_id} was planned, but no event requires it.",
        )
        for message_id in (published.keys() | rows) - required.keys()
    ]
    return len(required), findings


def _required_messages(histories: Mapping[str, History]) -> list[ExpectedPlan]:
    def of_one(key: str) -> Iterable[AnyEnvelope]:
        for topic in (ASSIGNMENTS, DEADLINES, DOSSIERS):
            for stored in histories[topic.name].by_key.get(key, ()):
                yield stored.event()

    return [plan for key in histories[DOSSIERS.name].by_key for plan in expected_plans(of_one(key))]


def _faults(plan: ExpectedPlan, events: list[MessageEvent], *, in_table: bool) -> Iterable[str]:
    planned = [event for event in events if isinstance(event, MessagePlannedV1)]
    if not in_table:
        yield "is missing from notify's table"
    if not planned:
        yield "is required, but was not planned"
    elif len(planned) > 1:
        yield f"was planned {len(planned)} times"
    elif (planned[0].channel, planned[0].moment, planned[0].dossier_sequence, planned[0].template) != (
        plan.channel,
        plan.moment,
        plan.dossier_sequence,
        plan.template,
    ):
        yield f"was planned wrongly, as {planned[0].moment} by {planned[0].channel} from template {planned[0].template}"
    if planned and len(events) == len(planned):
        yield "has no outcome"
