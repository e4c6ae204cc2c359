"""A case with its explanation: through the facts of a clock, as sla would have them."""

from motcua.due.cases import Case, derived
from services.sla.domain.clock import ClockFact, derive
from services.sla.domain.explanation import explain
from services.sla.explaining import view
from services.sla.wording import Lang


def explained(case: Case, lang: Lang) -> str:
    """The explanation of a case, as JSON. Raises CaseError."""
    _, _, calendar = derived(case)
    return view(explain(derive(facts_of(case), case.term, calendar), calendar, case.known_at), lang).model_dump_json(
        by_alias=True
    )


def facts_of(case: Case) -> list[ClockFact]:
    """The facts that a case tells, in the order in which they happened."""
    facts = [ClockFact("received", case.received_at, case.received_at)]
    for start, end, _ in case.pauses:
        facts.append(ClockFact("paused", start, start))
        if end is not None:
            facts.append(ClockFact("resumed", end, end))
    extended = [
        ClockFact("extended", each.at, each.at, None, each.working_days, each.to_date) for each in case.extensions
    ]
    return sorted([*facts, *extended], key=lambda fact: fact.at)
