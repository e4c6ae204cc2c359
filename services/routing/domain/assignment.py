"""The assignment of a dossier: receiving place, competent department, returning place, and the reason.

The rule: a decision that pools the competent department to the general counter, in force on the local date of the
submission, moves the receiving place there. The competent department and the returning place do not change.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from services.routing.domain.decisions import Decisions, Receiving
from services.routing.domain.errors import SubmissionMissingError
from services.routing.domain.volumes import Week
from shared.kernel.centre import Centre, Department
from shared.kernel.dated import in_force

RULE = "receiving-place/1"
"""Name and version of the rule, published with every assignment."""

RESULTS = "results"
"""The returning place of every dossier submitted while the centre has a counter for results."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a dossier is assigned or waits: the rule's version, a decision's number and date, and a sentence for people.

    `decision` is the signed decision in force about the department; if there is none, the one that opened its first
    counter; otherwise None. `weeks` are the figures of the proposal that the decision approved, if any.
    """

    text: str
    decision: str | None = None
    in_force_from: date | None = None
    rule: str = RULE
    weeks: tuple[Week, ...] = ()


@dataclass(frozen=True, slots=True)
class Assigned:
    """A complete assignment of a dossier that was submitted on `local_date`.

    `counters` are the numbers of the counters that receive on that date: those of `receiving_department`, or the
    general counter's if it is None. `returning_place` is RESULTS or a department's code.
    """

    procedure: str
    local_date: date
    competent_department: str
    receiving: Receiving
    receiving_department: str | None
    counters: tuple[int, ...]
    returning_place: str
    reason: Reason
    step: int = 1


@dataclass(frozen=True, slots=True)
class Waiting:
    """No assignment yet: the catalogue lacks the procedure, or the department must be named."""

    procedure: str
    waiting_for: Literal["procedure", "department"]
    reason: Reason


@dataclass(kw_only=True)
class Assignment:
    """What routing stores of a dossier from intake's events, and its present assignment. Empty before the submission.

    `named_department` is the competent department as intake's events name it. `passed_on_to` is the department of the
    present `step`, from the second step on. `dossier_sequence` is the sequence of the last event of intake on which the
    assignment depends. `apply` sets either `department` (the competent one) and `receiving_place`, or `waiting_for`.
    """

    procedure: str | None = None
    named_department: str | None = None
    submitted_at: datetime | None = None
    channel: str | None = None
    state: str | None = None
    code: str | None = None
    received_at: datetime | None = None
    dossier_sequence: int = 0
    step: int = 1
    passed_on_to: str | None = None
    department: str | None = None
    receiving_place: str | None = None
    waiting_for: str | None = None

    def submit(
        self, *, procedure: str, department: str | None, channel: str, state: str, at: datetime, sequence: int
    ) -> None:
        """Set what the event dossier.submitted contains. Decides nothing."""
        self.procedure, self.named_department, self.channel = procedure, department, channel
        self.state, self.submitted_at, self.dossier_sequence = state, at, sequence

    def receive(self, *, code: str, procedure: str, department: str, state: str, at: datetime, sequence: int) -> None:
        """Set what the event dossier.received contains. Decides nothing.

        `department` is the one whose agency id the dossier's `code` contains.
        """
        self.code, self.procedure, self.named_department = code, procedure, department
        self.state, self.received_at, self.dossier_sequence = state, at, sequence

    def begin_step(self, step: int, department: str, *, state: str, sequence: int) -> None:
        """Set the step and its department, to which the dossier was passed on, and the new state. Decides nothing."""
        self.step, self.passed_on_to = step, department
        self.state, self.dossier_sequence = state, sequence

    def change_state(self, state: str) -> None:
        """Set the dossier's state. The assignment does not depend on it."""
        self.state = state

    def decide(self, centre: Centre, decisions: Decisions) -> Assigned | Waiting:
        """Compute the assignment for the local date of the submission, or what the dossier waits for. Changes nothing.

        `decisions` are the signed ones about the general counter. From the second step on, the competent department is
        that of the step; both places are as in the first step. Raises SubmissionMissingError before the submission.
        """
        if self.procedure is None or self.submitted_at is None:
            raise SubmissionMissingError(
                "The dossier's submission never took effect here, so the local date to decide by is unknown."
            )
        on = centre.local_date(self.submitted_at)
        decided = decide(centre, decisions, procedure=self.procedure, named=self.named_department, on=on)
        if self.passed_on_to is None or isinstance(decided, Waiting):
            return decided
        department = centre.department(self.passed_on_to, on)
        name = self.passed_on_to if department is None else department.name_vi
        text = f"{decided.reason.text} Bước {self.step}: {name} giải quyết."
        return replace(
            decided,
            competent_department=self.passed_on_to,
            step=self.step,
            reason=replace(decided.reason, text=text),
        )

    def apply(self, decision: Assigned | Waiting) -> bool:
        """Set the result of `decide` as the present assignment, in memory, and return True.

        Returns False and changes nothing if the dossier already waits for the same thing.
        """
        if isinstance(decision, Assigned):
            self.department, self.receiving_place = decision.competent_department, decision.receiving
            self.waiting_for = None
            return True
        if self.waiting_for == decision.waiting_for:
            return False
        self.department, self.receiving_place = None, None
        self.waiting_for = decision.waiting_for
        return True


def decide(centre: Centre, decisions: Decisions, *, procedure: str, named: str | None, on: date) -> Assigned | Waiting:
    """Compute the assignment of a dossier submitted on the local date `on`, or what the dossier waits for.

    `decisions` are the signed ones about the general counter. `named` is the code of the competent department in
    intake's events, or None. It has priority over the catalogue, because the dossier's code contains its agency id.
    The same arguments always give the same answer.
    """
    if named is not None:
        department = centre.department(named, on)
        if department is None:
            return _wait(procedure, "department", f"Cơ quan {named} không có trong danh mục của trung tâm", on)
        return assignment_for(centre, decisions, procedure=procedure, department=department, on=on)
    competent = competent_departments(centre, procedure, on)
    if not competent:
        return _wait(procedure, "procedure", f"Thủ tục {procedure} chưa có trong danh mục của trung tâm", on)
    if len(competent) > 1:
        codes = ", ".join(department.code for department in competent)
        return _wait(
            procedure, "department", f"Thủ tục {procedure} có nhiều cơ quan giải quyết ({codes}), cần chọn một", on
        )
    return assignment_for(centre, decisions, procedure=procedure, department=competent[0], on=on)


def competent_departments(centre: Centre, procedure: str, on: date) -> tuple[Department, ...]:
    """The departments that the catalogue names for the procedure on that date; empty for an unknown procedure."""
    known = centre.procedure(procedure, on)
    if known is None:
        return ()
    found = (centre.department(code, on) for code in known.departments)
    return tuple(department for department in found if department is not None)


def assignment_for(
    centre: Centre, decisions: Decisions, *, procedure: str, department: Department, on: date
) -> Assigned:
    """Compute the assignment of a dossier for which `department` is competent, submitted on the local date `on`.

    `procedure` is only copied into the result.
    """
    results = centre.counters_on(on, "results")
    returned = f"trả kết quả tại {_numbers(results)}" if results else f"trả kết quả tại {department.name_vi}"
    decision = decisions.in_force(department.code, on)
    pooled = decision is not None and decision.receiving == "general"
    number, since = (None, None) if decision is None else (decision.number, decision.effective_from)
    by_decision = "" if decision is None else f" từ ngày {since:%d/%m/%Y} theo quyết định {number}"
    if pooled:
        counters = centre.counters_on(on, "general")
        where = f"Quầy Tổng hợp ({_numbers(counters)})"
    else:
        counters = centre.counters_on(on, "department", department.code)
        where = f"quầy của cơ quan ({_numbers(counters)})"
        if decision is None and counters and (counter := in_force(centre.counters[counters[0]], on)) is not None:
            number, since = counter.decision, counter.valid_from
    return Assigned(
        procedure=procedure,
        local_date=on,
        competent_department=department.code,
        receiving="general" if pooled else "department",
        receiving_department=None if pooled else department.code,
        counters=counters,
        returning_place=RESULTS if results else department.code,
        reason=Reason(
            f"Hồ sơ của {department.name_vi} nộp tại {where}{by_decision}; {returned}.",
            number,
            since,
            weeks=() if decision is None else decision.weeks,
        ),
    )


def _wait(procedure: str, what: Literal["procedure", "department"], text: str, on: date) -> Waiting:
    return Waiting(procedure, what, Reason(f"{text} ngày {on:%d/%m/%Y}: hồ sơ chờ được bổ sung thông tin."))


def _numbers(counters: tuple[int, ...]) -> str:
    return "quầy số " + ", ".join(map(str, counters)) if counters else "quầy chưa mở"
