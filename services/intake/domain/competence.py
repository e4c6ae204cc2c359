"""Which department is competent, as the catalogue says on the day of submission."""

from collections.abc import Collection, Sequence

from shared.kernel.errors import ExpectedError, FieldError, Refusal


def competent_department(
    named: str | None, *, procedure: str, by_catalogue: Sequence[str] | None, departments: Collection[str]
) -> str | None:
    """The competent department of a submission, or None while nobody knows it.

    `by_catalogue` are the procedure's departments, None for an unknown procedure; `departments` are all there are.
    Raises Refusal (422): several and none named, a named one that is not competent or does not exist.
    """
    if named is not None and named not in departments:
        raise _refused(f"{named!r} is not a department of this centre", sorted(departments))
    if by_catalogue is None:
        return named
    if named is None:
        if len(by_catalogue) > 1:
            raise _refused(f"{procedure} has several competent departments: name one", by_catalogue)
        return by_catalogue[0]
    if named not in by_catalogue:
        raise _refused(f"{named} is not competent for {procedure}", by_catalogue)
    return named


def department_of_receipt(named: str | None, *, known: str | None, departments: Collection[str]) -> str:
    """The department at receipt, where a code is drawn from it.

    A known one that is no longer among `departments` counts as unknown: its successor is named.
    Raises Refusal (422) where none is known and none is named, or where a differing one is named.
    """
    if named is not None and named not in departments:
        raise _refused(f"{named!r} is not a department of this centre", sorted(departments))
    if known is None or known not in departments:
        if named is None:
            gone = "the procedure is unknown here" if known is None else f"there is no department {known} on that day"
            raise _refused(f"{gone}: name the competent department", sorted(departments))
        return named
    if named not in (None, known):
        raise _refused(f"the competent department is {known}, not {named}", [known])
    return known


def department_of_step(
    named: str | None, *, number: int, by_catalogue: Sequence[str], present: str, departments: Collection[str]
) -> str:
    """The department of the step `number`, which follows the one that `present` has.

    `by_catalogue` are the departments of the procedure's steps in order; where none are entered, somebody names it. So
    it is where the entered one is no longer among `departments`, or has the dossier already, as another's successor.
    Raises Refusal: 409 after the last step; 422 where none is named or a wrong one.
    """
    unsaid = "the procedure's steps are not entered"
    if by_catalogue:
        if number > len(by_catalogue):
            raise ExpectedError(
                "last-step", f"step {number - 1} is the procedure's last: settle the dossier, or stop it"
            )
        following = by_catalogue[number - 1]
        if following in departments and following != present:
            if named not in (None, following):
                raise _refused(f"step {number} is for {following}, not for {named}", [following])
            return following
        gone = following not in departments
        unsaid = f"there is no department {following} on that day" if gone else f"{following} has the dossier already"
    others = sorted(set(departments) - {present})
    if named is None:
        raise _refused(f"{unsaid}: name the department that goes on", others)
    if named not in departments:
        raise _refused(f"there is no department {named} on that day", others)
    if named == present:
        raise _refused(f"{named} has the dossier already", others)
    return named


def _refused(detail: str, allowed: Sequence[str]) -> Refusal:
    errors = [FieldError("/data/department", detail)]
    return ExpectedError("department", detail, status=422, allowed=allowed, errors=errors)
