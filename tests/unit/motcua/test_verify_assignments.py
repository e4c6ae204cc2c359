"""What `motcua verify` makes of a row that an older release wrote."""

import json
from pathlib import Path

from motcua.verification.assignments import _kept, _plain
from services.routing.assignments.rebuild import rebuild_assignment
from services.routing.domain.decisions import Decisions, initial_decisions
from shared.catalogue import load_centre
from tests.support.centre_folder import write_centre
from tests.support.dossier_events import DossierEvents


def test_a_row_of_an_older_release_says_the_same(tmp_path: Path) -> None:
    """It lacks the members that were added since; their defaults are what was meant."""
    told = DossierEvents()
    events = [told.submitted(department="STP"), told.received()]
    centre = load_centre(write_centre(tmp_path / "centre"))
    decided = rebuild_assignment(events, centre, Decisions(initial_decisions(centre)))
    assert decided is not None
    row = decided.model_dump(mode="json", exclude={"step": True, "reason": {"figures"}})
    assert _kept(json.dumps(row)) == _plain(decided)
