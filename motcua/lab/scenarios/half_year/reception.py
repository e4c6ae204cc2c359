"""Reception of a drawn dossier: submitted at the counter, by post or online; complete, incomplete or refused."""

from datetime import datetime, timedelta
from typing import Any

from motcua.lab.past_acts import PastActor
from motcua.lab.scenarios.half_year.dossier import DrawnDossier

UNENTERED_PAPERS = ("Giấy tờ tùy thân", "Bản sao hợp lệ còn thiếu", "Bản thuyết minh đã ký")
"""Papers that may be missing for a procedure whose requirements are not entered."""
REFUSALS = ("Không thuộc thẩm quyền giải quyết", "Thủ tục chưa có hiệu lực với trường hợp này")
_REGISTRATION = timedelta(minutes=4)


def receive(dossier: DrawnDossier) -> bool:
    """Draw and add the acts from arrival to receipt. Return whether the dossier is received.

    It is not received if it is refused, if requested papers never come, or if the calendar ends before.
    """
    parameters, stream = dossier.context.parameters, dossier.stream
    refused = stream.happens(parameters.refused)
    incomplete = not refused and stream.happens(parameters.papers_lacking)
    if dossier.arrival.channel == "online":
        answered = _submit_online(dossier, incomplete)
    elif refused or incomplete:
        dossier.add("submit", dossier.clerk, dossier.arrival.at, **_submission(dossier, incomplete))
        answered = dossier.after_working(dossier.last, _REGISTRATION)
    else:
        dossier.add("submit", dossier.clerk, dossier.arrival.at, **_submission(dossier, incomplete), receive={})
        return True
    if answered is None:
        return False
    if refused:
        dossier.add("refuse", dossier.clerk, answered, reason=stream.choice(REFUSALS))
        return False
    if incomplete:
        dossier.add("ask_supplement", dossier.clerk, answered, papers=_missing_papers(dossier))
        back = next_delivery(dossier)
        if back is None:
            return False
        dossier.add("supplement_received", dossier.clerk, back, documents=_mandatory_documents(dossier))
        answered = dossier.after_working(dossier.last, _REGISTRATION)
        if answered is None:
            return False
    dossier.add("receive", dossier.clerk, answered)
    return True


def next_delivery(dossier: DrawnDossier) -> datetime | None:
    """Draw the instant at which the applicant brings the papers requested by the last act.

    None if the applicant never does, or if the calendar ends before that.
    """
    if dossier.stream.happens(dossier.context.parameters.not_coming_back):
        return None
    return next_visit(dossier)


def next_visit(dossier: DrawnDossier) -> datetime | None:
    """Draw the instant of a visit, some working days after the last act. None if the calendar ends before the visit."""
    parameters = dossier.context.parameters
    days = round(dossier.stream.lognormal(parameters.paper_days, parameters.paper_spread))
    return dossier.context.visit(dossier.last, days, dossier.stream)


def _submit_online(dossier: DrawnDossier, incomplete: bool) -> datetime | None:
    """Add the submission by the applicant. Return the drawn instant at which the clerk answers it.

    None if the calendar ends before that.
    """
    applicant = PastActor(id=f"applicant-{dossier.arrival.name}", role="applicant")
    dossier.add("submit", applicant, dossier.arrival.at, **_submission(dossier, incomplete))
    minutes = dossier.stream.lognormal(dossier.context.parameters.online_minutes, 0.8)
    return dossier.after_working(dossier.last, timedelta(minutes=minutes))


def _submission(dossier: DrawnDossier, incomplete: bool) -> dict[str, Any]:
    """Return the data of the act `submit`, without documents if the dossier is incomplete."""
    arrival = dossier.arrival
    named = {"department": arrival.department} if len(arrival.procedure.departments) > 1 else {}
    return {
        "procedure": arrival.procedure.code,
        **named,
        "channel": arrival.channel,
        "applicant": dict(dossier.applicant),
        "documents": [] if incomplete else _mandatory_documents(dossier),
    }


def _mandatory_documents(dossier: DrawnDossier) -> list[dict[str, Any]]:
    """Return the data of a document for every mandatory paper, or of the application form if papers are unknown.

    An incomplete dossier is submitted without documents, and gets all of these with the supplement.
    """
    needs = dossier.requirements()
    if needs is None:
        return [dossier.document(None)]
    return [dossier.document(need) for need in needs if need.mandatory]


def _missing_papers(dossier: DrawnDossier) -> list[str]:
    needs = dossier.requirements()
    if needs is None:
        return [dossier.stream.choice(UNENTERED_PAPERS)]
    return [need.key for need in needs if need.mandatory]
