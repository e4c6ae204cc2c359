"""Acts of the past, judged by intake's own reading and decisions before anything is sent: nothing is half-played."""

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


def refusals(centre: Centre, acts: Iterable[PastAct]) -> Iterator[tuple[PastAct, Refusal]]:
    """Each act that intake would refuse, judged at its own instant by the role of its own doer, and why.

    Every act that it takes moves its dossier; after a refused one, later ones of that dossier are passed over.
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
            actor = Actor.model_validate(past.doer.named())
            decide(line, actor, rows.get(past.dossier_id), partial(_new, rows, past.dossier_id), setting)
        except Refusal as refusal:
            refused.add(past.dossier_id)
            yield past, refusal


def _new(rows: dict[UUID, DossierRow], dossier_id: UUID) -> DossierRow:
    return rows.setdefault(dossier_id, DossierRow(key=dossier_id))
