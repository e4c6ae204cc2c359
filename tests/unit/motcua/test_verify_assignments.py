"""`motcua verify` on rows of an older release."""

import json
from pathlib import Path

from motcua.verification.assignments import _comparable, _stored
from services.routing.assignments.rebuild import rebuild_assignment
from services.routing.domain.decisions import Decisions, initial_decisions
from shared.catalogue import load_centre
from tests.support.centre_folder import write_centre
from tests.support.dossier_events import DossierEvents


def test_row_of_an_older_release_equals_the_assignment(tmp_path: Path) -> None:
    """A row without members that were added later has their defaults."""
    emitter = DossierEvents()
    events = [emitter.submitted(department="STP"), emitter.received()]
    centre = load_centre(write_centre(tmp_path / "centre"))
    decided = rebuild_assignment(events, centre, Decisions(initial_decisions(centre)))
    assert decided is not None
    row = decided.model_dump(mode="json", exclude={"step": True, "reason": {"figures"}})
    assert _stored(json.dumps(row)) == _comparable(decided)
