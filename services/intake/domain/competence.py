"""The competent department of a submission, a receipt and a step, by the catalogue."""

from collections.abc import Collection, Sequence

from services.intake.domain.errors import DepartmentRequiredError, LastStepError


def competent_department(
    named: str | None, *, procedure: str, by_catalogue: Sequence[str] | None, departments: Collection[str]
) -> str | None:
    """The competent department of a submission, or None if it is unknown.

    `by_catalogue` are the procedure's departments, None for an unknown procedure; `departments` are all of the centre.
    Raises DepartmentRequiredError if several are competent and none is named, or the named one is not competent or
    does not exist.
    """
    if named is not None and named not in departments:
        raise _refusal(f"The centre has no department {named!r}.", sorted(departments))
    if by_catalogue is None:
        return named
    if named is None:
        if len(by_catalogue) > 1:
            raise _refusal(f"Several departments are competent for {procedure}. Name one.", by_catalogue)
        return by_catalogue[0]
    if named not in by_catalogue:
        raise _refusal(f"The department {named} is not competent for {procedure}.", by_catalogue)
    return named


def department_of_receipt(named: str | None, *, known: str | None, departments: Collection[str]) -> str:
    """The competent department at receipt, in whose name the code is drawn.

    A known one that is not among `departments` any more counts as unknown, so its successor must be named.
    Raises DepartmentRequiredError if none is known and none is named, or a differing one is named.
    """
    if named is not None and named not in departments:
        raise _refusal(f"The centre has no department {named!r}.", sorted(departments))
    if known is None or known not in departments:
        if named is None:
            cause = (
                "The procedure is unknown" if known is None else f"The department {known} does not exist on that day"
            )
            raise _refusal(f"{cause}. Name the competent department.", sorted(departments))
        return named
    if named not in (None, known):
        raise _refusal(f"The competent department is {known}, not {named}.", [known])
    return known


def department_of_step(
    named: str | None, *, number: int, by_catalogue: Sequence[str], current: str, departments: Collection[str]
) -> str:
    """The department of the step `number`, which follows the step of the department `current`.

    `by_catalogue` are the departments of the procedure's steps in order. Without them, the request must name the
    department. It must do so, too, if the department by the catalogue is not among `departments` any more, or is
    already `current` as the successor of another. Raises LastStepError after the last step, DepartmentRequiredError if
    none is named or a wrong one.
    """
    cause = "The catalogue has no steps of the procedure"
    if by_catalogue:
        if number > len(by_catalogue):
            raise LastStepError(step=number - 1)
        following = by_catalogue[number - 1]
        if following in departments and following != current:
            if named not in (None, following):
                raise _refusal(f"Step {number} belongs to {following}, not to {named}.", [following])
            return following
        ended = following not in departments
        cause = (
            f"The department {following} does not exist on that day"
            if ended
            else f"The department {following} already has the dossier"
        )
    others = sorted(set(departments) - {current})
    if named is None:
        raise _refusal(f"{cause}. Name the department of the next step.", others)
    if named not in departments:
        raise _refusal(f"The department {named} does not exist on that day.", others)
    if named == current:
        raise _refusal(f"The department {named} already has the dossier.", others)
    return named


def _refusal(detail: str, allowed: Sequence[str]) -> DepartmentRequiredError:
    return DepartmentRequiredError(detail, allowed=allowed, pointer="/data/department")
