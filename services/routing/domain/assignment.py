"""Where a dossier is received, who is competent, where its result lies, and why: one decision, by local date. Pure.

The rule: a decision that pools the competent department to the general counter, in force on the local date of the
submission, moves the receiving place there. Competence and the returning place stay as they are.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.routing.domain.decisions import Decisions
from services.routing.domain.pooling import Receiving, Week
from shared.kernel.centre import Centre, Department
from shared.kernel.dated import in_force

RULE = "receiving-place/1"
"""Name and version of the rule below; told with every decision."""

RESULTS = "results"
"""The returning place of every dossier while the centre has a counter for results."""


@dataclass(frozen=True, slots=True)
class Reason:
    """The rule's version, the decision in force and since when, and a sentence for the people at the counter.

    `weeks` are the figures on which the decision was proposed, if it was.
    """

    text: str
    decision: str | None = None
    in_force_from: date | None = None
    rule: str = RULE
    weeks: tuple[Week, ...] = ()


@dataclass(frozen=True, slots=True)
class Assigned:
    """`receiving` "general" or "department"; `counters` are the numbers open there on that day; `returning_place` is
    RESULTS or the competent department's code."""

    procedure: str
    local_date: date
    department: str
    receiving: Receiving
    counters: tuple[int, ...]
    returning_place: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Waiting:
    """No decision yet: the catalogue lacks the procedure, or somebody must name the department."""

    procedure: str
    waiting_for: Literal["procedure", "department"]
    reason: Reason


def decide(centre: Centre, decisions: Decisions, *, procedure: str, named: str | None, on: date) -> Assigned | Waiting:
    """The decision for a dossier submitted on the local date `on`, under these decisions about the general counter.

    `named` is the competent department as intake's events name it; it goes before the catalogue, since the dossier's
    code is drawn from it. The same arguments always give the same answer.
    """
    if named is not None:
        department = centre.department(named, on)
        if department is None:
            return _wait(procedure, "department", f"Cơ quan {named} không có trong danh mục của trung tâm", on)
        return place(centre, decisions, procedure=procedure, department=department, on=on)
    competent = competent_departments(centre, procedure, on)
    if not competent:
        return _wait(procedure, "procedure", f"Thủ tục {procedure} chưa có trong danh mục của trung tâm", on)
    if len(competent) > 1:
        codes = ", ".join(department.code for department in competent)
        return _wait(
            procedure, "department", f"Thủ tục {procedure} có nhiều cơ quan giải quyết ({codes}), cần chọn một", on
        )
    return place(centre, decisions, procedure=procedure, department=competent[0], on=on)


def competent_departments(centre: Centre, procedure: str, on: date) -> tuple[Department, ...]:
    """The departments that the catalogue names for the procedure on that date; none for an unknown procedure."""
    known = centre.procedure(procedure, on)
    if known is None:
        return ()
    found = (centre.department(code, on) for code in known.departments)
    return tuple(department for department in found if department is not None)


def place(centre: Centre, decisions: Decisions, *, procedure: str, department: Department, on: date) -> Assigned:
    """Receiving and returning place for a dossier of that department on that local date."""
    results = centre.counters_on(on, "results")
    returning = RESULTS if results else department.code
    way_back = f"trả kết quả tại {_numbers(results)}" if results else f"trả kết quả tại {department.name_vi}"
    standing = decisions.in_force(department.code, on)
    if standing is not None and standing.receiving == "general":
        counters = centre.counters_on(on, "general")
        text = (
            f"Hồ sơ của {department.name_vi} nộp tại Quầy Tổng hợp ({_numbers(counters)}) "
            f"từ ngày {standing.effective_from:%d/%m/%Y} theo quyết định {standing.number}; {way_back}."
        )
        reason = Reason(text, standing.number, standing.effective_from, weeks=standing.weeks)
        return Assigned(procedure, on, department.code, "general", counters, returning, reason)
    counters = centre.counters_on(on, "department", department.code)
    text = f"Hồ sơ của {department.name_vi} nộp tại quầy của cơ quan ({_numbers(counters)})"
    if standing is not None:
        text += f" từ ngày {standing.effective_from:%d/%m/%Y} theo quyết định {standing.number}"
        reason = Reason(f"{text}; {way_back}.", standing.number, standing.effective_from, weeks=standing.weeks)
    elif desk := in_force(centre.counters[counters[0]], on) if counters else None:
        reason = Reason(f"{text}; {way_back}.", desk.decision, desk.valid_from)
    else:
        reason = Reason(f"{text}; {way_back}.")
    return Assigned(procedure, on, department.code, "department", counters, returning, reason)


def _wait(procedure: str, what: Literal["procedure", "department"], text: str, on: date) -> Waiting:
    return Waiting(procedure, what, Reason(f"{text} ngày {on:%d/%m/%Y}: hồ sơ chờ được bổ sung thông tin."))


def _numbers(counters: tuple[int, ...]) -> str:
    return "quầy số " + ", ".join(map(str, counters)) if counters else "quầy chưa mở"
