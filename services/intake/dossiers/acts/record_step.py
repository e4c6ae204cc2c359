"""`record_step`: an entry of the control slip (form 06)."""

from services.intake.domain.life_cycle import NOT_FINAL, from_states
from services.intake.dossiers.act import Act, EventDraft, PendingAct, present
from services.intake.dossiers.fields import ActData, ShortText, Text
from shared.contracts.dossiers import UNLISTED, DossierStepRecordedV1


class RecordStep(ActData):
    """Record an entry of the control slip.

    `activity` and `group` are published if the centre lists them, by code or name. Free text and `note` stay in intake.
    """

    activity: ShortText
    group: ShortText | None = None
    note: Text | None = None


def decide(pending: PendingAct, data: RecordStep) -> list[EventDraft]:
    """The entry; codes of the centre's list are published, free text is not."""
    centre, group = pending.context.centre, None
    activity = centre.step_code("activity", data.activity, pending.day)
    free_text = {} if activity else {"activity": data.activity}
    if data.group is not None:
        group = centre.step_code("group", data.group, pending.day)
        free_text |= {} if group else {"group": data.group}
    event = DossierStepRecordedV1(state=pending.to, activity=activity or UNLISTED, group=group)
    return [pending.draft(event, details={**free_text, **present(note=data.note)})]


ACT = Act(
    name="record_step",
    moves=from_states(NOT_FINAL, "stay"),
    roles=frozenset({"clerk", "officer"}),
    data=RecordStep,
    decide=decide,
    event=DossierStepRecordedV1,
)
