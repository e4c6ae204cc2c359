"""Acts on a dossier: states, roles, forms and data of each."""

from collections.abc import Iterator

from services.intake.domain.acts import ACTS


def collect() -> Iterator[str]:
    """Yield the rows of intake's table of acts."""
    for act in ACTS.values():
        yield f"{act.name}"
        yield from (f"{act.name} from {state or 'nothing'} to {to}" for state, to in act.moves.items())
        yield from (f"{act.name} by {role}" for role in act.roles)
        yield from (f"{act.name} data .{member} required" for member in act.needs)
        yield from (f"{act.name} data .{member}" for member in act.may)
        if act.form is not None:
            yield f"{act.name} form {act.form}"
