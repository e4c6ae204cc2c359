"""The tables of notify: dossiers with their alert plans, and messages."""

from dataclasses import dataclass

from services.notify.domain.alert_plan import AlertPlan
from services.notify.domain.message import Message
from shared.postgres.rows import RecordTable, Row, Table


@dataclass(kw_only=True)
class DossierRow(AlertPlan, Row):
    """A row of the table `dossiers`: the alert plan and the fences of one dossier."""


DOSSIERS = Table(
    DossierRow,
    name="dossiers",
    columns={
        "dossier_sequence": "bigint",
        "state": "text",
        "state_sequence": "bigint",
        "code": "text",
        "department": "text",
        "submitted_at": "timestamptz",
        "reach": "jsonb",
        "received_event": "jsonb",
        "received_planned": "boolean",
        "result_arrived": "boolean",
        "result_planned": "boolean",
        "paused": "boolean",
        "due_at": "timestamptz",
        "pending_deadlines": "jsonb",
        "place": "jsonb",
        "history": "jsonb",
    },
)

_PLANNED = {
    "dossier_id": "uuid",
    "dossier_sequence": "bigint",
    "moment": "text",
    "channel": "text",
    "template": "text",
    "template_version": "integer",
    "content": "jsonb",
    "planned_event": "uuid",
    "correlation": "text",
    "planned_at": "timestamptz",
    "not_before": "timestamptz",
    "expires_at": "timestamptz",
}

MESSAGES = RecordTable(
    Message,
    name="messages",
    key="message_id",
    columns={
        "message_id": "uuid",
        **_PLANNED,
        "next_at": "timestamptz",
        "place": "jsonb",
        "state": "text",
        "reason": "text",
        "next_step": "text",
        "attempts": "integer",
        "in_doubt": "boolean",
        "possibly_doubled": "boolean",
        "parts": "integer",
        "reference": "text",
        "leased_until": "timestamptz",
        "lease_token": "bigint",
    },
    fixed=_PLANNED,
)
