"""Acts on a dossier: states, roles, forms and data of each."""

from collections.abc import Iterator

from services.intake.dossiers.registry import ACTS


def collect() -> Iterator[str]:
    """Yield the rows of intake's table of acts."""
    for act in ACTS.values():
        yield f"{act.name}"
        yield from (f"{act.name} from {state or 'nothing'} to {to}" for state, to in act.moves.items())
        yield from (f"{act.name} by {role}" for role in act.roles)
        for member, info in act.data.model_fields.items():
            yield f"{act.name} data .{member}{' required' if info.is_required() else ''}"
        if act.form is not None:
            yield f"{act.name} form {act.form}"
