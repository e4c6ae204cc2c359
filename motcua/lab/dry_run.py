"""Dry run of past acts against intake's rules, so that a log with a refused act is rejected before any act is sent."""

import json
from collections.abc import Iterable, Iterator
from functools import partial
from uuid import UUID

from motcua.lab.past_acts import PastAct
from services.intake.domain.dossier import Dossier
from services.intake.dossiers.act import DecisionContext
from services.intake.dossiers.block import decide
from services.intake.dossiers.schemas import parse_act
from shared.contracts.envelope import Actor
from shared.kernel.centre import Centre
from shared.kernel.errors import Refusal


def refused_acts(centre: Centre, acts: Iterable[PastAct]) -> Iterator[tuple[PastAct, Refusal]]:
    """Yield each act that intake would refuse, with its refusal.

    Nothing is sent or stored. Each act is decided as of its own instant and by its actor's role, on the state that the
    acts before it left in memory. After a refused act, later acts of the same dossier are skipped.
    """
    dossiers: dict[UUID, Dossier] = {}
    refused: set[UUID] = set()
    taken: set[str] = set()
    for past in acts:
        if past.dossier_id in refused:
            continue
        act = parse_act(json.loads(past.line()))
        context = DecisionContext(centre, past.occurred_at, None, taken)
        try:
            if act.refusal is not None:
                raise act.refusal
            actor = Actor.model_validate(past.actor.members())
            decide(act, actor, dossiers.get(past.dossier_id), partial(_new, dossiers, past.dossier_id), context)
        except Refusal as refusal:
            refused.add(past.dossier_id)
            yield past, refusal


def _new(dossiers: dict[UUID, Dossier], dossier_id: UUID) -> Dossier:
    return dossiers.setdefault(dossier_id, Dossier())
