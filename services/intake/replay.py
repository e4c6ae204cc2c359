"""Where a dossier stands, from its events alone: what `motcua verify` holds intake's rows against."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.intake.domain.acts import State, find_act, move
from services.intake.domain.whereabouts import ON_PAPER, Whereabouts, brings_papers, is_own_counter
from shared.contracts import dossiers as events
from shared.contracts.envelope import AnyEnvelope, EventData
from shared.kernel.centre import Centre
from shared.kernel.errors import ExpectedError, Refusal

ACT_OF: Mapping[type[EventData], str] = {
    events.DossierSubmittedV1: "submit",
    events.DossierReceivedV1: "receive",
    events.DossierRefusedV1: "refuse",
    events.DossierTakenOverV1: "take_over",
    events.DossierSupplementRequiredV1: "ask_supplement",
    events.DossierSupplementReceivedV1: "supplement_received",
    events.DossierPaymentRequiredV1: "ask_payment",
    events.DossierPaidV1: "paid",
    events.DossierSettledV1: "settle",
    events.DossierStoppedV1: "stop",
    events.DossierWithdrawnV1: "withdraw",
    events.DossierReturnedV1: "return_result",
    events.DossierStepRecordedV1: "record_step",
    events.DossierHandedOverV1: "hand_over",
    events.DossierResultArrivedV1: "result_arrived",
    events.DossierContactCorrectedV1: "correct_contact",
    events.DossierExtendedV1: "extend",
    events.DossierStepBegunV1: "next_step",
    events.DossierReopenedV1: "reopen",
}
"""The act that each event tells; an event that is none (received elsewhere) moves nothing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the events of one dossier come to: state, code, the step under way and how often it was extended.

    `broken` is a sentence where they contradict the table of acts.
    """

    state: State | None = None
    code: str | None = None
    broken: str | None = None
    step: int = 1
    extensions: int = 0


def standing(envelopes: Iterable[AnyEnvelope]) -> Standing:
    """Move through one dossier's events of `intake.dossiers.v1`, in sequence order, by the table of acts. Pure."""
    state: State | None = None
    came_from: State | None = None
    code: str | None = None
    step, extensions = 1, 0
    for envelope in envelopes:
        data = envelope.data
        act = ACT_OF.get(type(data))
        try:
            to = state if act is None else _after(act, state, came_from)
        except Refusal as refusal:
            return Standing(state, code, f"event {envelope.sequence}: {refusal.detail}")
        if to in ("supplement_required", "payment_required") and to != state:
            came_from = state
        state = to
        if not isinstance(data, events.DossierEvent) or data.state != state:
            return Standing(state, code, f"event {envelope.sequence} does not lead to {state}, as it must")
        if isinstance(data, events.DossierReceivedV1):
            code = data.code
        elif isinstance(data, events.DossierStepBegunV1):
            if data.step != step + 1:
                return Standing(state, code, f"event {envelope.sequence} begins step {data.step} after step {step}")
            step = data.step
        elif isinstance(data, events.DossierExtendedV1):
            extensions += 1
    return Standing(state, code, step=step, extensions=extensions)


def whereabouts(envelopes: Iterable[AnyEnvelope], centre: Centre) -> Whereabouts:
    """Where papers and result are by one dossier's events of `intake.dossiers.v1`, in sequence order. Pure."""
    now = Whereabouts()
    channel, counter, received = "", None, False
    for envelope in envelopes:
        at = envelope.time
        match envelope.data:
            case events.DossierSubmittedV1() as data:
                channel = data.channel
            case events.DossierReceivedV1() as data:
                counter, received = data.counter, True
                now = now.papers_came(at, counter) if channel in ON_PAPER else now
            case events.DossierSupplementReceivedV1() as data:
                if received and brings_papers([document.media_type for document in data.documents], channel):
                    now = now.papers_came(at, envelope.actorcounter or counter)
            case events.DossierTakenOverV1() as data:
                if is_own_counter(centre, now.papers_counter, data.department, centre.local_date(at)):
                    now = now.papers_went(envelope.sequence)
            case events.DossierHandedOverV1() | events.DossierStoppedV1() | events.DossierWithdrawnV1():
                now = now.papers_went(envelope.sequence)
            case events.DossierSettledV1() as data:
                now = now.settled(at, electronic=data.electronic_result).papers_went(envelope.sequence)
            case events.DossierResultArrivedV1() | events.DossierReturnedV1():
                now = now.result_came(at)
            case events.DossierReopenedV1():
                now = now.reopened()
    return now


def _after(act: str, state: State | None, came_from: State | None) -> State:
    if state is None:
        if act != "submit":
            raise ExpectedError("act-not-allowed", f"{act} comes before the submission")
        return "submitted"
    return move(find_act(act), state, came_from)
