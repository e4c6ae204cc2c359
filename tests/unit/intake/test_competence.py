"""The competent department of a submission, from the catalogue and from the request."""

from collections.abc import Sequence

import pytest

from services.intake.domain.competence import competent_department
from services.intake.domain.errors import DepartmentRequiredError

DEPARTMENTS = ("CA", "STC", "STP")


def competent(named: str | None, by_catalogue: Sequence[str] | None) -> str | None:
    """The department of a submission to a centre of three departments."""
    return competent_department(named, procedure="1.001", by_catalogue=by_catalogue, departments=DEPARTMENTS)


@pytest.mark.parametrize(
    ("named", "by_catalogue", "expected"),
    [
        (None, ["STP"], "STP"),
        ("STP", ["STP"], "STP"),
        ("CA", ["CA", "STP"], "CA"),
        ("STC", None, "STC"),
        (None, None, None),
    ],
)
def test_department_follows_from_catalogue_and_request(
    named: str | None, by_catalogue: Sequence[str] | None, expected: str | None
) -> None:
    """The catalogue decides if one department is competent; an unknown procedure has the named one, or none."""
    assert competent(named, by_catalogue) == expected


@pytest.mark.parametrize(
    ("named", "by_catalogue", "allowed"),
    [
        (None, ["CA", "STP"], ("CA", "STP")),
        ("STC", ["CA", "STP"], ("CA", "STP")),
        ("STC", ["STP"], ("STP",)),
        ("XYZ", ["STP"], DEPARTMENTS),
        ("XYZ", None, DEPARTMENTS),
    ],
)
def test_missing_or_wrong_department_is_refused_with_the_allowed_ones(
    named: str | None, by_catalogue: Sequence[str] | None, allowed: Sequence[str]
) -> None:
    """A refusal lists the departments that may be named instead."""
    with pytest.raises(DepartmentRequiredError) as refused:
        competent(named, by_catalogue)
    assert tuple(refused.value.allowed) == tuple(allowed)
