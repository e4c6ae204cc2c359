"""Scenarios for tests of a whole centre: the acts of each dossier, with API key and scene. Pure; fixed by the seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Any, Literal

from shared.kernel.centre import Centre, Procedure

SCENES = ("At the counters and online", "In the departments", "Papers and payments", "Decisions", "Results")

Scene = Literal[0, 1, 2, 3, 4]

_FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Điểu", "Thị")
_MIDDLES = ("Văn", "Thị", "Hữu", "Ngọc", "Minh", "Thanh", "Quốc", "Kim")
_GIVEN = ("An", "Bình", "Châu", "Dũng", "Hạnh", "Hoa", "Hùng", "Lan", "Long", "Mai", "Nam", "Phúc", "Sơn", "Thảo", "Tú")
UNKNOWN_PROCEDURE = "9.999001"


@dataclass(frozen=True, slots=True)
class Step:
    """One act with the API key of that id. `refused` is the expected status if a rule refuses the act."""

    scene: Scene
    act: str
    key: str
    data: Mapping[str, Any] = field(default_factory=dict)
    refused: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """The acts of one dossier; the first one submits it."""

    number: int
    kind: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """The parameters of a scenario: a procedure at its department, an applicant, and the keys of the staff.

    `following` is the department of the next step; the act must name it unless the catalogue has the steps.
    """

    procedure: Procedure
    department: str
    applicant: Mapping[str, str]
    documents: Sequence[Mapping[str, Any]]
    clerk: str
    returning_clerk: str
    following: str
    steps_entered: bool

    @property
    def officer(self) -> str:
        """The key of the department's officer."""
        return f"officer-{self.department}"

    def submission(self, **more: Any) -> dict[str, Any]:
        """The data of a submission."""
        named = {"department": self.department} if len(self.procedure.departments) > 1 else {}
        return {
            "procedure": self.procedure.code,
            **named,
            "applicant": dict(self.applicant),
            "documents": [dict(document) for document in self.documents],
            **more,
        }


def plan(centre: Centre, on: date, *, count: int, seed: int = 2017) -> list[Scenario]:
    """`count` scenarios in the proportions of `_KINDS`, over the procedures in force on that local date."""
    random = Random(seed)
    procedures = [found for code in centre.procedures if (found := centre.procedure(code, on)) is not None]
    kinds = [kind for kind, share in _KINDS.items() for _ in range(share)]
    scenarios = []
    for number in range(count):
        kind = kinds[number % len(kinds)]
        case = _case(centre, on, random.choice(procedures), random, number)
        scenarios.append(Scenario(number, kind.__name__.strip("_").replace("_", " "), tuple(kind(case))))
    return scenarios


def _case(centre: Centre, on: date, procedure: Procedure, random: Random, number: int) -> Case:
    department = random.choice(procedure.departments)
    own = centre.counters_on(on, "department", department)[:1]
    general = centre.counters_on(on, "general")
    returning = f"clerk-{(own or general)[0]}"
    pooled = centre.pooling(department, on) is not None or not own
    requirements = centre.requirements_of(procedure.code, on) or ()
    steps = centre.steps_of(procedure.code, on)
    others = [other.code for other in centre.departments_on(on) if other.code != department]
    return Case(
        procedure=procedure,
        department=department,
        applicant=_person(random, number),
        documents=[{"requirement": need.key, "title": need.name_vi} for need in requirements if need.mandatory]
        or [{"title": "Đơn đề nghị"}],
        clerk=f"clerk-{general[0]}" if pooled and general else returning,
        returning_clerk=returning,
        following=steps[1].department if steps else random.choice(others),
        steps_entered=bool(steps),
    )


def _person(random: Random, number: int) -> dict[str, str]:
    """An invented applicant. Some have only a phone, some only an e-mail address, a few neither."""
    name = " ".join((random.choice(_FAMILIES), random.choice(_MIDDLES), random.choice(_GIVEN)))
    person = {"name": name, "id_number": f"0700{number:08d}"}
    draw = random.random()
    if draw < 0.85:
        person["phone"] = f"09{random.randrange(10**8):08d}"
    if 0.55 < draw < 0.95:
        person["email"] = f"applicant{number}@example.com"
    return person


def _received(case: Case) -> list[Step]:
    """A walk-in: submitted and received by one act."""
    return [Step(0, "submit", case.clerk, case.submission(channel="counter", receive={}))]


def _online(case: Case) -> list[Step]:
    return [
        Step(0, "submit", "portal", case.submission(channel="online")),
        Step(0, "receive", case.clerk),
    ]


def _worked(case: Case) -> list[Step]:
    batch = {"batch": f"{case.department}-demo", "given_by": case.clerk, "taken_by": case.officer}
    return [Step(1, "hand_over", case.clerk, batch), Step(1, "take_over", case.officer)]


def _settled(case: Case, outcome: str = "approved") -> list[Step]:
    return [
        Step(3, "settle", case.officer, {"outcome": outcome}),
        Step(3, "result_arrived", case.returning_clerk),
        Step(4, "return_result", case.returning_clerk, {"way": "counter"}),
    ]


def _walk_in_to_result(case: Case) -> list[Step]:
    return [*_received(case), *_worked(case), *_settled(case)]


def _online_to_result(case: Case) -> list[Step]:
    return [*_online(case), *_worked(case), *_settled(case)]


def _electronic_result(case: Case) -> list[Step]:
    settle = Step(3, "settle", case.officer, {"outcome": "approved", "electronic_result": True})
    return [
        *_online(case),
        *_worked(case),
        settle,
        Step(4, "return_result", case.returning_clerk, {"way": "electronic"}),
    ]


def _rejected(case: Case) -> list[Step]:
    return [*_received(case), *_worked(case), *_settled(case, "rejected")]


def _supplemented(case: Case) -> list[Step]:
    asked = [case.documents[0].get("requirement") or "Bản đồ hiện trạng"]
    return [
        *_received(case),
        *_worked(case),
        Step(1, "ask_supplement", case.officer, {"papers": asked, "reason": "Bản chụp không đọc được"}),
        Step(2, "supplement_received", case.clerk, {"documents": [dict(case.documents[0])]}),
        *_settled(case),
    ]


def _supplemented_before_receipt(case: Case) -> list[Step]:
    asked = [case.documents[0].get("requirement") or "Đơn đề nghị"]
    return [
        Step(0, "submit", "portal", case.submission(channel="online")),
        Step(0, "ask_supplement", case.clerk, {"papers": asked}),
        Step(2, "supplement_received", case.clerk, {"documents": [dict(case.documents[0])]}),
        Step(2, "receive", case.clerk),
    ]


def _extended(case: Case) -> list[Step]:
    """Intake refuses the extension of a dossier without a term."""
    more = {"working_days": 2, "reason": "Cần xác minh thực địa"}
    refused = 409 if case.procedure.term is None else None
    return [*_received(case), *_worked(case), Step(1, "extend", case.officer, more, refused), *_settled(case)]


def _passed_on(case: Case) -> list[Step]:
    named = {} if case.steps_entered else {"department": case.following}
    return [
        *_received(case),
        *_worked(case),
        Step(1, "next_step", case.officer, named),
        *_settled(replace(case, department=case.following)),
    ]


def _reopened(case: Case) -> list[Step]:
    return [
        *_received(case),
        *_worked(case),
        Step(3, "settle", case.officer, {"outcome": "rejected"}),
        Step(3, "reopen", "leader", {"reason": "Bỏ sót một thành phần hồ sơ"}),
        *_settled(case),
    ]


def _paid(case: Case) -> list[Step]:
    return [
        *_received(case),
        *_worked(case),
        Step(1, "ask_payment", case.officer, {"amount_vnd": case.procedure.fee_vnd or 150_000}),
        Step(2, "paid", case.returning_clerk),
        *_settled(case),
    ]


def _waiting_for_payment(case: Case) -> list[Step]:
    return [*_received(case), *_worked(case), Step(1, "ask_payment", case.officer, {"amount_vnd": 500_000})]


def _refused(case: Case) -> list[Step]:
    reason = {"reason": "Không thuộc thẩm quyền giải quyết"}
    return [Step(0, "submit", "portal", case.submission(channel="online")), Step(0, "refuse", case.clerk, reason)]


def _withdrawn(case: Case) -> list[Step]:
    return [*_received(case), Step(2, "withdraw", case.clerk, {"reason": "Người dân xin rút hồ sơ"})]


def _stopped(case: Case) -> list[Step]:
    return [
        *_received(case),
        *_worked(case),
        Step(2, "stop", case.officer, {"reason": "Có tranh chấp đang được thụ lý"}),
    ]


def _still_open(case: Case) -> list[Step]:
    return [*_received(case), Step(1, "take_over", case.officer), Step(1, "record_step", case.officer, _STEP)]


def _post(case: Case) -> list[Step]:
    submit = Step(0, "submit", case.clerk, case.submission(channel="post"))
    return [submit, Step(0, "receive", case.clerk), *_worked(case), *_settled(case)]


def _corrected_contact(case: Case) -> list[Step]:
    corrected = {"applicant": {**case.applicant, "email": "corrected@example.com"}}
    return [*_received(case), Step(1, "correct_contact", case.clerk, corrected), *_worked(case)]


def _unknown_procedure(case: Case) -> list[Step]:
    data = case.submission(channel="online") | {"procedure": UNKNOWN_PROCEDURE, "documents": []}
    data.pop("department", None)
    return [Step(0, "submit", "portal", data)]


def _tried_too_early(case: Case) -> list[Step]:
    too_early = Step(1, "settle", case.officer, {"outcome": "approved"}, refused=409)
    return [Step(0, "submit", "portal", case.submission(channel="online")), too_early]


_STEP = {"activity": "Thẩm định hồ sơ", "group": "Phòng chuyên môn"}

_KINDS: Mapping[Callable[[Case], list[Step]], int] = {
    _walk_in_to_result: 9,
    _online_to_result: 8,
    _electronic_result: 3,
    _rejected: 1,
    _supplemented: 3,
    _supplemented_before_receipt: 1,
    _extended: 1,
    _passed_on: 1,
    _reopened: 1,
    _paid: 2,
    _waiting_for_payment: 1,
    _refused: 1,
    _withdrawn: 1,
    _stopped: 1,
    _still_open: 2,
    _post: 1,
    _corrected_contact: 1,
    _unknown_procedure: 1,
    _tried_too_early: 1,
}
"""The number of scenarios of each kind in forty."""
