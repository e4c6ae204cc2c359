"""Rebuilds a dossier in memory from its published events, by the same changes that requests apply.

`motcua verify` compares the result with the stored row.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.intake.domain.dossier import Dossier
from services.intake.domain.errors import BrokenHistoryError
from services.intake.dossiers.act import Occurrence
from services.intake.dossiers.registry import ACT_OF_EVENT, move
from shared.contracts.dossiers import DossierEvent
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.centre import Centre
from shared.kernel.errors import Refusal


@dataclass(slots=True)
class Rebuilt:
    """A dossier as its events define it, up to the first event that contradicts the life cycle.

    `broken` describes that event and the contradiction; it is None if all events were applied. Some fields of the
    dossier are in no event: papers in free text, and what other services publish (`due`, `assignment`).
    """

    dossier: Dossier = field(default_factory=Dossier)
    broken: str | None = None


def rebuild(envelopes: Iterable[AnyEnvelope], centre: Centre) -> Rebuilt:
    """Return what results from one dossier's events of `intake.dossiers.v1`, given in sequence order.

    Does not raise for an event that contradicts the life cycle, but stops there: see Rebuilt.
    """
    rebuilt = Rebuilt()
    for envelope in envelopes:
        try:
            _apply(rebuilt.dossier, envelope, centre)
        except (Refusal, BrokenHistoryError) as error:
            rebuilt.broken = f"event {envelope.sequence}: {error}"
            break
    return rebuilt


def _apply(dossier: Dossier, envelope: AnyEnvelope, centre: Centre) -> None:
    event = envelope.data
    if not isinstance(event, DossierEvent):
        raise BrokenHistoryError(f"{envelope.type} is not an event of a dossier.")
    act = ACT_OF_EVENT.get(type(event))
    to = dossier.state if act is None else move(act, dossier.state, dossier.state_before_pause)
    if to is None or event.state != to:
        raise BrokenHistoryError(f"The state after it is {event.state}, but must be {to}.")
    if act is None:
        return
    effect = act.apply(dossier, event, to, Occurrence(envelope.time, envelope.actorid, envelope.actorcounter, centre))
    dossier.record(envelope.sequence, touches_clock=effect.touches_clock, sends_papers=effect.sends_papers)
