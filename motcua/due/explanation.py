"""The explanation of a case's due date, by sla's rules and in the form of sla's API."""

from motcua.due.cases import Case, derive_case
from services.sla.domain.clock import ClockChange, derive
from services.sla.domain.explanation import explain
from services.sla.explanations.schemas import explanation_view
from services.sla.explanations.sentences import Lang


def explanation_of(case: Case, lang: Lang) -> str:
    """Return the explanation of a case's due date, in sentences of `lang`, as JSON. Raises CaseError."""
    _, _, calendar = derive_case(case)
    explanation = explain(derive(changes_of(case), case.term, calendar), calendar, case.known_at)
    return explanation_view(explanation, lang).model_dump_json(by_alias=True)


def changes_of(case: Case) -> list[ClockChange]:
    """Return a case's receipt, pauses and extensions as clock changes in time order, each recorded when it happens."""
    changes = [ClockChange("received", case.received_at, case.received_at)]
    for start, end, _ in case.pauses:
        changes.append(ClockChange("paused", start, start))
        if end is not None:
            changes.append(ClockChange("resumed", end, end))
    extended = [
        ClockChange("extended", each.at, each.at, None, each.working_days, each.to_date) for each in case.extensions
    ]
    return sorted([*changes, *extended], key=lambda change: change.at)
