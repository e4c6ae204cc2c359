"""`record_step`: a clerk or an officer records a line of the control slip (form 06), the list of who did what."""

from services.intake.domain.life_cycle import NOT_FINAL, from_states
from services.intake.dossiers.act import Act, EventDraft, PendingAct, present
from services.intake.dossiers.fields import ActData, ShortText, Text
from shared.contracts.dossiers import UNLISTED, DossierStepRecordedV1


class RecordStep(ActData):
    """Record a line of the dossier's control slip (form 06): who did what.

    `activity` and `group` are published as codes if the centre lists them, by code or name. Other text, and `note`,
    stay in intake.
    """

    activity: ShortText
    group: ShortText | None = None
    note: Text | None = None


def decide(pending: PendingAct, data: RecordStep) -> list[EventDraft]:
    """Apply the line of the control slip to the dossier and return its event draft.

    The event has the codes of the centre's lists; other text and the note stay in intake.
    """
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
