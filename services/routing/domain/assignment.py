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
"""The returning place of every dossier while the centre has a counter for results."""


@dataclass(frozen=True, slots=True)
class Reason:
    """The rule's version, the decision in force with its date, and a sentence for people.

    `weeks` are the figures of the proposal that the decision approved, if there was one.
    """

    text: str
    decision: str | None = None
    in_force_from: date | None = None
    rule: str = RULE
    weeks: tuple[Week, ...] = ()


@dataclass(frozen=True, slots=True)
class Assigned:
    """A complete assignment.

    `counters` are the numbers open on that date at the general counter, or at the `receiving_department` (None for the
    general counter). `returning_place` is RESULTS or a department's code.
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
    """What routing knows of a dossier, and the decision in force about it. Empty before the submission.

    `named_department` is the competent department as intake's events name it. `passed_on_to` is the department of the
    present `step`, from the second step on. `dossier_sequence` is the sequence of the last event of intake on which the
    decision depends. A decision sets either `department` (the competent one) and `receiving_place`, or `waiting_for`.
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
        """Record the submission."""
        self.procedure, self.named_department, self.channel = procedure, department, channel
        self.state, self.submitted_at, self.dossier_sequence = state, at, sequence

    def receive(self, *, code: str, procedure: str, department: str, state: str, at: datetime, sequence: int) -> None:
        """Record the receipt. Its department is the one whose agency id the code contains."""
        self.code, self.procedure, self.named_department = code, procedure, department
        self.state, self.received_at, self.dossier_sequence = state, at, sequence

    def begin_step(self, step: int, department: str, *, state: str, sequence: int) -> None:
        """Record that the dossier was passed on to the department of a further step."""
        self.step, self.passed_on_to = step, department
        self.state, self.dossier_sequence = state, sequence

    def change_state(self, state: str) -> None:
        """Record a state that changes nothing about the assignment."""
        self.state = state

    def decide(self, centre: Centre, decisions: Decisions) -> Assigned | Waiting:
        """The decision that follows from what is recorded, by the local date of the submission.

        From the second step on, only the competent department differs from the first. The same arguments always give
        the same answer. Raises SubmissionMissingError.
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
        """Put a decision in force. False if the dossier already waits for the same thing, which changes nothing."""
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
    """The decision for a dossier submitted on the local date `on`, under these decisions about the general counter.

    `named` is the competent department as intake's events name it. It has priority over the catalogue, because the
    dossier's code contains its agency id. The same arguments always give the same answer.
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
    """The receiving and returning place of a dossier of that department on that local date."""
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
