"""Dry run of past acts against intake's rules, so that a log with a refused act is rejected before any act is sent."""

import json
from collections.abc import Iterable, Iterator
from functools import partial
from uuid import UUID

from motcua.lab.past_acts import PastAct
from services.intake.cases import Setting
from services.intake.deciding import decide
from services.intake.requests import read_line
from services.intake.tables import DossierRow
from shared.contracts.envelope import Actor
from shared.kernel.centre import Centre
from shared.kernel.errors import Refusal


def refused_acts(centre: Centre, acts: Iterable[PastAct]) -> Iterator[tuple[PastAct, Refusal]]:
    """Yield each act that intake would refuse, with its refusal.

    An act is decided at its own instant, by the role of its own actor, on the state that the acts before it left.
    After a refused act, later acts of the same dossier are skipped.
    """
    rows: dict[UUID, DossierRow] = {}
    refused: set[UUID] = set()
    taken: set[str] = set()
    for past in acts:
        if past.dossier_id in refused:
            continue
        line = read_line(json.loads(past.line()))
        setting = Setting(centre, past.occurred_at, None, taken)
        try:
            if line.fault is not None:
                raise line.fault
            actor = Actor.model_validate(past.actor.members())
            decide(line, actor, rows.get(past.dossier_id), partial(_new, rows, past.dossier_id), setting)
        except Refusal as refusal:
            refused.add(past.dossier_id)
            yield past, refusal


def _new(rows: dict[UUID, DossierRow], dossier_id: UUID) -> DossierRow:
    return rows.setdefault(dossier_id, DossierRow(key=dossier_id))
