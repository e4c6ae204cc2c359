"""How a dossier comes in: at the counter, by post, online; with all its papers or without; or not at all."""

from datetime import datetime, timedelta
from typing import Any

from motcua.lab.past_acts import Doer
from motcua.lab.scenarios.half_year.dossier import Life

UNENTERED_PAPERS = ("Giấy tờ tùy thân", "Bản sao hợp lệ còn thiếu", "Bản thuyết minh đã ký")
REFUSALS = ("Không thuộc thẩm quyền giải quyết", "Thủ tục chưa có hiệu lực với trường hợp này")
_REGISTRATION = timedelta(minutes=4)


def receive(life: Life) -> bool:
    """From arrival to receipt; False where it ends before."""
    figures, lots = life.place.figures, life.lots
    refused = lots.happens(figures.refused)
    lacking = not refused and lots.happens(figures.papers_lacking)
    if life.arrival.channel == "online":
        seen = _submitted_online(life, lacking)
    elif refused or lacking:
        life.act("submit", life.clerk, life.arrival.at, **_submission(life, lacking))
        seen = life.worked(life.last, _REGISTRATION)
    else:
        life.act("submit", life.clerk, life.arrival.at, **_submission(life, lacking), receive={})
        return True
    if seen is None:
        return False
    if refused:
        life.act("refuse", life.clerk, seen, reason=lots.one_of(REFUSALS))
        return False
    if lacking:
        life.act("ask_supplement", life.clerk, seen, papers=_lacking_papers(life))
        back = brought(life)
        if back is None:
            return False
        life.act("supplement_received", life.clerk, back, documents=_mandatory_documents(life))
        seen = life.worked(life.last, _REGISTRATION)
        if seen is None:
            return False
    life.act("receive", life.clerk, seen)
    return True


def brought(life: Life) -> datetime | None:
    """When the applicant brings what was asked for after the last act; None if never."""
    if life.lots.happens(life.place.figures.not_coming_back):
        return None
    return fetched(life)


def fetched(life: Life) -> datetime | None:
    """A visit some working days after the last act; None where the calendar ends before."""
    figures = life.place.figures
    days = round(life.lots.around(figures.paper_days, figures.paper_spread))
    return life.place.visit(life.last, days, life.lots)


def _submitted_online(life: Life, lacking: bool) -> datetime | None:
    """Submits as the applicant; answers when the clerk looks at it."""
    applicant = Doer(id=f"applicant-{life.arrival.name}", role="applicant")
    life.act("submit", applicant, life.arrival.at, **_submission(life, lacking))
    return life.worked(life.last, timedelta(minutes=life.lots.around(life.place.figures.online_minutes, 0.8)))


def _submission(life: Life, lacking: bool) -> dict[str, Any]:
    """The data of the submission."""
    arrival = life.arrival
    named = {"department": arrival.department} if len(arrival.procedure.departments) > 1 else {}
    return {
        "procedure": arrival.procedure.code,
        **named,
        "channel": arrival.channel,
        "applicant": dict(life.person),
        "documents": [] if lacking else _mandatory_documents(life),
    }


def _mandatory_documents(life: Life) -> list[dict[str, Any]]:
    """Every mandatory paper: handed in at once, or, where papers were lacking, brought all together."""
    needs = life.requirements()
    if needs is None:
        return [life.document(None)]
    return [life.document(need) for need in needs if need.mandatory]


def _lacking_papers(life: Life) -> list[str]:
    needs = life.requirements()
    if needs is None:
        return [life.lots.one_of(UNENTERED_PAPERS)]
    return [need.key for need in needs if need.mandatory]
