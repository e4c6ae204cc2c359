"""Papers: what a procedure requires against what was handed in."""

from collections.abc import Collection, Iterable, Sequence

from shared.kernel.centre import Requirement
from shared.kernel.errors import ExpectedError, FieldError

NOT_ENTERED = "not entered"
"""Said where nobody entered a procedure's requirements; never "none"."""


def missing(requirements: Sequence[Requirement] | None, handed_in: Iterable[str | None]) -> tuple[Requirement, ...]:
    """The mandatory requirements that no document answers; nothing can be said to miss where none are entered."""
    have = set(handed_in)
    return tuple(need for need in requirements or () if need.mandatory and need.key not in have)


def check_documents(requirements: Sequence[Requirement] | None, named: Sequence[str | None]) -> None:
    """Raises Refusal (422) for a document that names a requirement which the procedure does not have."""
    if requirements is None:
        return
    known = {need.key for need in requirements}
    wrong = [
        FieldError(f"/data/documents/{place}/requirement", f"{name!r} is not a requirement of this procedure")
        for place, name in enumerate(named)
        if name is not None and name not in known
    ]
    if wrong:
        raise ExpectedError("unknown-requirement", wrong[0].detail, status=422, allowed=sorted(known), errors=wrong)


def check_receipt(lacking: Sequence[Requirement], *, reason: str | None, asked_before: Collection[str]) -> bool:
    """Whether the dossier is received incomplete.

    Without a mandatory document that needs a recorded reason, or a supplement request (form 02) that already asked
    for every missing paper: `asked_before` holds the keys and names in it. Raises Refusal (409) otherwise.
    """
    if not lacking:
        return False
    unasked = [need for need in lacking if need.key not in asked_before and need.name_vi not in asked_before]
    if unasked and not reason:
        names = "; ".join(need.name_vi for need in unasked)
        raise ExpectedError(
            "papers-missing",
            f"mandatory papers are missing: {names}; ask for them (form 02), or receive with a missing_papers_reason",
            allowed=("ask_supplement", "receive with missing_papers_reason"),
            more={"missing": [need.key for need in unasked]},
        )
    return True


def named_papers(requirements: Sequence[Requirement] | None, papers: Sequence[str]) -> tuple[str, ...]:
    """The papers of a supplement request as the applicant is told them: keys become names.

    Raises Refusal (422) for a paper that is no requirement, where the procedure's requirements are entered.
    """
    if requirements is None:
        return tuple(papers)
    names = {need.key: need.name_vi for need in requirements} | {need.name_vi: need.name_vi for need in requirements}
    wrong = [
        FieldError(f"/data/papers/{place}", f"{paper!r} is not a requirement of this procedure")
        for place, paper in enumerate(papers)
        if paper not in names
    ]
    if wrong:
        allowed = [need.key for need in requirements]
        raise ExpectedError("unknown-requirement", wrong[0].detail, status=422, allowed=allowed, errors=wrong)
    return tuple(names[paper] for paper in papers)
