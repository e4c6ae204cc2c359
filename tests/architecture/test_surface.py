"""The public surface is frozen: it changes only by surface/changes.toml, and CHANGELOG.md lists each change."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

import pytest

from tests.architecture.surface import frozen
from tests.architecture.surface.frozen import CHANGELOG, KINDS, Change, difference, lines_of, suggestion, table

_FEW = 3


@pytest.mark.parametrize("kind", KINDS)
def test_surface_changes_only_by_the_table(kind: str) -> None:
    """The code has what the newest frozen release had, changed by the table."""
    found = difference(kind, lines_of(kind), KINDS[kind](), table())
    if found.vanished or found.appeared:
        pytest.fail(_report(kind, found.vanished, found.appeared), pytrace=False)
    assert not found.idle, f"{kind}: these entries of changes.toml have no effect: {found.idle}"


def _report(kind: str, vanished: Sequence[str], appeared: Sequence[str]) -> str:
    """Every name that differs, and the entries to add for the first few."""
    entries = [suggestion(kind, old, new) for old, new in zip_longest(vanished, appeared, fillvalue="")]
    return "\n".join(
        [
            f"The public surface of kind {kind!r} differs from the frozen one (- vanished, + appeared):",
            *(f"  - {line}" for line in vanished),
            *(f"  + {line}" for line in appeared),
            "If this is intended, add an entry per change to tests/architecture/surface/changes.toml, such as",
            *entries[:_FEW],
            "and a line to CHANGELOG.md with both names in backticks. Otherwise restore the old name.",
        ]
    )


def test_every_kind_is_frozen() -> None:
    """Each kind has a frozen file that is not empty, and no other file exists."""
    folder = frozen.FOLDER / frozen.releases()[-1]
    assert {path.name for path in folder.iterdir()} == {f"{kind}.txt" for kind in KINDS}
    assert [kind for kind in KINDS if not lines_of(kind)] == []


def test_table_names_known_kinds_with_a_reason() -> None:
    """Each entry has a kind, at least one name and a reason."""
    wrong = [one for one in table() if one.kind not in KINDS or not (one.old or one.new) or not one.reason.strip()]
    assert wrong == []


def test_changelog_names_every_change() -> None:
    """For each entry, one line of CHANGELOG.md contains the old and the new name, each in backticks."""
    changelog = CHANGELOG.read_text(encoding="utf-8")
    missing = [change for change in table() if not change.is_in(changelog)]
    assert not missing, "add to CHANGELOG.md:\n" + "\n".join(map(_entry, missing))


def _entry(change: Change) -> str:
    match change:
        case Change(old=""):
            return f"- `{change.new}` is new: {change.reason}"
        case Change(new=""):
            return f"- `{change.old}` is removed: {change.reason}"
        case _:
            return f"- `{change.old}` is now `{change.new}`: {change.reason}"


FROZEN = ("sla GET /clock", "sla GET /clock 200 .kind = set", "sla GET /clocks", "sla GET /due 200 .kind = set")


def changed(present: Iterable[str], *changes: Change) -> frozen.Difference:
    """Compare a small frozen surface with `present`, given these entries of the table."""
    return difference("openapi", FROZEN, present, changes)


def test_renamed_value_is_replaced_in_every_line() -> None:
    """One entry renames a name in every line that contains it as a whole name."""
    renamed = [line.replace("= set", "= simulated") for line in FROZEN]
    change = Change("openapi", ".kind = set", ".kind = simulated", "reason")
    assert changed(renamed, change) == frozen.Difference([], [], [])


def test_renamed_path_is_not_replaced_in_a_longer_name() -> None:
    """`/clock` does not match in `/clocks`."""
    renamed = [line.replace("/clock ", "/time ") if line != FROZEN[0] else "sla GET /time" for line in FROZEN]
    assert changed(renamed, Change("openapi", "/clock", "/time", "reason")) == frozen.Difference([], [], [])


def test_removed_operation_removes_its_members() -> None:
    """A removal includes the operation's members and no other operation."""
    assert changed(FROZEN[2:], Change("openapi", "sla GET /clock", "", "reason")) == frozen.Difference([], [], [])


def test_added_operation_adds_its_members() -> None:
    """An addition includes the operation's members."""
    added = [*FROZEN, "sla PUT /clock", "sla PUT /clock body .now required"]
    assert changed(added, Change("openapi", "", "sla PUT /clock", "reason")) == frozen.Difference([], [], [])


def test_difference_without_entry_lists_both_names() -> None:
    """Without an entry, both names are reported."""
    assert changed([*FROZEN[:3], "other"]) == frozen.Difference([FROZEN[3]], ["other"], [])


@pytest.mark.parametrize(
    "change",
    [
        Change("openapi", "sla GET /no-such", "sla GET /other", "reason"),
        Change("openapi", "sla GET /no-such", "", "reason"),
        Change("openapi", "", "sla GET /no-such", "reason"),
        Change("openapi", "", FROZEN[0], "reason"),
    ],
)
def test_entry_without_effect_is_reported(change: Change) -> None:
    """An entry is reported if it matches no frozen line, or adds what is not in the code or already frozen."""
    assert changed(FROZEN, change).idle == [change]


def test_entry_of_another_kind_is_ignored() -> None:
    """An entry applies to its own kind only."""
    assert changed(FROZEN, Change("cli", FROZEN[0], "", "reason")) == frozen.Difference([], [], [])


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("- `a` is now `b`, since …", True),
        ("- `a` is now b", False),
        ("- `a` is gone\n- `b` is new", False),
    ],
)
def test_changelog_line_contains_both_names(line: str, named: bool) -> None:
    """Both names must be in the same line."""
    assert Change("cli", "a", "b", "reason").is_in(line) is named
