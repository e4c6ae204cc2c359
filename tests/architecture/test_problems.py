"""The table of problems and the refusal classes agree, so each failure has one name, one status and one meaning."""

from shared.kernel.errors import Refusal
from shared.service.errors import FrameworkRefusal
from shared.service.problem_page import problems_page
from shared.service.problems import KINDS
from tests.architecture.tree import ROOT, subclasses

WITHOUT_STATUS = {FrameworkRefusal}
"""The class whose instances have their own status."""


def refusals() -> list[type[Refusal]]:
    """The refusal classes of shared and of the services."""
    return [kind for kind in subclasses(Refusal, "shared", "services") if kind not in WITHOUT_STATUS]


def test_every_refusal_class_is_in_the_table() -> None:
    """Each refusal class has a status, a meaning and a remedy."""
    assert sorted(kind.__name__ for kind in refusals() if kind.name not in KINDS) == []


def test_every_problem_has_a_refusal_class() -> None:
    """Each entry of the table has a refusal class."""
    assert sorted(KINDS.keys() - {kind.name for kind in refusals()}) == []


def test_table_is_sorted() -> None:
    """The entries are sorted by name."""
    assert list(KINDS) == sorted(KINDS)


def test_entries_are_sentences() -> None:
    """Meaning and remedy are sentences, and the status is one of an error."""
    for name, kind in KINDS.items():
        assert 400 <= kind.status < 600, name
        assert kind.meaning.endswith("."), name
        assert kind.remedy.endswith("."), name


def test_page_is_generated_from_the_table() -> None:
    """`docs/problems.md` is the page that `make events` generates."""
    assert (ROOT / "docs/problems.md").read_text(encoding="utf-8") == problems_page()
