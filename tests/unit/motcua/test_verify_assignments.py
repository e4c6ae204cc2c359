"""What `motcua verify` makes of a row that an older release wrote."""

import json
from pathlib import Path

from motcua.verification.assignments import _comparable, _stored
from services.routing.domain.decisions import Decisions, seeded
from services.routing.replay import decide_again
from shared.catalogue import load_centre
from tests.support.centre_folder import write_centre
from tests.support.told import Told


def test_a_row_of_an_older_release_says_the_same(tmp_path: Path) -> None:
    """It lacks the members that were added since; their defaults are what was meant."""
    told = Told()
    events = [told.submitted(department="STP"), told.received()]
    centre = load_centre(write_centre(tmp_path / "centre"))
    decided = decide_again(events, centre, Decisions(seeded(centre)))
    assert decided is not None
    row = decided.model_dump(mode="json", exclude={"step": True, "reason": {"figures"}})
    assert _stored(json.dumps(row)) == _comparable(decided)
