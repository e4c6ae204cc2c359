"""The dated rule of the general counter in centre.toml: what it may say, and where it is told what it may not."""

from datetime import date
from pathlib import Path

import pytest

from shared.kernel.errors import StartError
from shared.runtime.centre import load_centre
from tests.support.centre_folder import SMALL_CENTRE, write_centre

RULE = """
[[general_counter]]
valid_from = 2017-04-28
valid_to = 2017-12-31
decision = "04/QĐ"
channels = ["counter", "post"]
full_week_days = 5
least_working_days = 2
pool_below = 10
pool_weeks = 4
release_from = 12
release_weeks = 2
min_stay_weeks = 8
invented = ["decision"]
"""
LINES = SMALL_CENTRE["centre.toml"].count("\n")


def test_it_is_in_force_by_local_date(tmp_path: Path) -> None:
    """Two decisions one after the other; a centre may do without any."""
    later = RULE.replace("2017-04-28\nvalid_to = 2017-12-31", "2018-01-01").replace("04/QĐ", "05/QĐ")
    centre = load_centre(write_centre(tmp_path, centre_toml=SMALL_CENTRE["centre.toml"] + later + RULE))
    found = [centre.pooling_rule(day) for day in (date(2017, 4, 27), date(2017, 12, 31), date(2018, 1, 1))]
    assert [None if rule is None else rule.decision for rule in found] == [None, "04/QĐ", "05/QĐ"]
    assert load_centre(write_centre(tmp_path / "without")).pooling_rule(date(2018, 1, 1)) is None


@pytest.mark.parametrize(
    ("old", "new", "line", "fault"),
    [
        (
            "release_from = 12",
            "release_from = 10",
            11,
            "release_from: release_from, 10, is not above pool_below, 10: a department between them would be pooled "
            "and released for ever",
        ),
        ("pool_weeks = 4\n", "", 2, "pool_weeks: missing: it has no default"),
        ("pool_below = 10", "pool_below = 9.5", 9, "pool_below: 9.5 is not a whole number from 1 to 100000"),
        ("2017-12-31", "2017-04-01", 4, "valid_to: is before valid_from: it is the last day in force"),
        ('"counter", ', '"counters", ', 6, "is not a list of channels, which are online, counter, post"),
        ("min_stay", "least_stay", 13, "least_stay_weeks: unknown key: remove it or mend its name"),
        (RULE, RULE + RULE, 16, "general_counter is already in force on 2017-04-28 by line"),
        (RULE, "\ngeneral_counter = 3", None, "general_counter: is not a section [[general_counter]]"),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, old: str, new: str, line: int | None, fault: str) -> None:
    """The line is the file's, the section's first where a key is missing."""
    assert old in RULE
    text = SMALL_CENTRE["centre.toml"]
    # a key of the file itself stands before its sections
    bent = f"{new}\n{text}" if line is None else text + RULE.replace(old, new, 1)
    with pytest.raises(StartError) as refused:
        load_centre(write_centre(tmp_path, centre_toml=bent))
    place = "centre.toml: " if line is None else f"centre.toml:{LINES + line}: "
    told = [each.strip() for each in str(refused.value).splitlines()[1:]]
    assert any(each.startswith(place) and fault in each for each in told), told
