"""The papers that a procedure requires, compared with the documents that were handed in."""

from collections.abc import Collection, Iterable, Sequence

from services.intake.domain.errors import PapersMissingError, UnknownRequirementError
from shared.kernel.centre import Requirement
from shared.kernel.errors import FieldError

NOT_ENTERED = "not entered"
"""The text for a procedure whose requirements are not in the catalogue; never "none"."""


def missing_papers(
    requirements: Sequence[Requirement] | None, handed_in: Iterable[str | None]
) -> tuple[Requirement, ...]:
    """Return the mandatory requirements whose keys are not in `handed_in`.

    Empty if `requirements` is None, that is, not entered in the catalogue.
    """
    have = set(handed_in)
    return tuple(need for need in requirements or () if need.mandatory and need.key not in have)


def check_documents(requirements: Sequence[Requirement] | None, named: Sequence[str | None]) -> None:
    """Raise UnknownRequirementError if a document names a requirement that the procedure does not have.

    `named` has the requirement of each document, None for a document without one. If the procedure's `requirements` are
    not entered (None), any name is allowed.
    """
    if requirements is not None:
        keys = {need.key for need in requirements}
        _check_names(named, keys, sorted(keys), "/data/documents/{place}/requirement")


def check_receipt(missing: Sequence[Requirement], *, reason: str | None, requested: Collection[str]) -> bool:
    """Check that a dossier may be received without the `missing` papers; return whether any are missing.

    With missing papers, a receipt needs a recorded `reason`, or an earlier supplement request (form 02) for each of the
    papers; `requested` has the keys and names of the papers asked for. Raises PapersMissingError otherwise.
    """
    if not missing:
        return False
    unrequested = [need for need in missing if need.key not in requested and need.name_vi not in requested]
    if unrequested and not reason:
        raise PapersMissingError(
            names="; ".join(need.name_vi for need in unrequested),
            missing=[need.key for need in unrequested],
            allowed=("ask_supplement", "receive with missing_papers_reason"),
        )
    return True


def paper_names(requirements: Sequence[Requirement] | None, papers: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the papers that a supplement request lists by key or by name.

    Raises UnknownRequirementError for a paper that is not a requirement. If the procedure's `requirements` are not
    entered (None), any text is allowed and returned as it is.
    """
    if requirements is None:
        return tuple(papers)
    names = {need.key: need.name_vi for need in requirements} | {need.name_vi: need.name_vi for need in requirements}
    _check_names(papers, names, [need.key for need in requirements], "/data/papers/{place}")
    return tuple(names[paper] for paper in papers)


def _check_names(named: Sequence[str | None], known: Collection[str], allowed: Sequence[str], pointer: str) -> None:
    errors = [
        FieldError(pointer.format(place=place), f"The procedure has no requirement {name!r}.")
        for place, name in enumerate(named)
        if name is not None and name not in known
    ]
    if errors:
        raise UnknownRequirementError(errors[0].detail, allowed=allowed, errors=errors)
