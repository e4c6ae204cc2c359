"""The aggregate: the state of one dossier, and every change of it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.intake.domain.contacts import Reach
from services.intake.domain.errors import BrokenHistoryError
from services.intake.domain.life_cycle import PAUSED, State

Channel = Literal["online", "counter", "post"]

ON_PAPER = ("counter", "post")
"""The channels that bring papers; an online dossier has none to carry."""


@dataclass(kw_only=True)
class Dossier:
    """One dossier. Acts and the events of other services change it only through its methods.

    `state` is None until the submission; other services' events may arrive before. `due` is sla's last event about the
    clock, `assignment` routing's last decision, both as JSON. `clock_sequence` is the sequence of the last event that
    touched the clock.
    `handed_in` and `requested_papers` are keys and names of requirements. `step` is the current one, from 1 on;
    `extensions` counts extensions of the due date.

    Papers have waited at counter `papers_counter` since `papers_waiting_since` (None: no papers wait);
    `papers_sent_sequence` is the last event that sent papers to the department, 0 for none. `settled_at` is the
    settlement in force. `result_at` is when its result became available: an electronic one at once, one on paper at the
    returning place. A result that arrives before its settlement is recorded counts; one before a reopening does not.
    """

    state: State | None = None
    state_before_pause: State | None = None
    procedure: str = ""
    department: str | None = None
    channel: Channel = "counter"
    counter: int | None = None
    code: str | None = None
    submitted_by: str = ""
    submitted_at: datetime | None = None
    received_at: datetime | None = None
    last_act_at: datetime | None = None
    incomplete: bool = False
    reach: list[Reach] = field(default_factory=list)
    handed_in: list[str] = field(default_factory=list)
    requested_papers: list[str] = field(default_factory=list)
    clock_sequence: int = 0
    due: dict[str, Any] | None = None
    assignment: dict[str, Any] | None = None
    step: int = 1
    extensions: int = 0
    papers_waiting_since: datetime | None = None
    papers_counter: int | None = None
    papers_sent_sequence: int = 0
    settled_at: datetime | None = None
    result_at: datetime | None = None

    def submit(
        self,
        *,
        procedure: str,
        department: str | None,
        channel: Channel,
        by: str,
        at: datetime,
        reach: Iterable[Reach],
    ) -> None:
        """Set what a submission states. `by` is the id of the submitting API key's actor."""
        self.procedure, self.department, self.channel = procedure, department, channel
        self.submitted_by, self.submitted_at = by, at
        self.reach = list(reach)

    def receive(self, *, department: str, counter: int | None, incomplete: bool, at: datetime) -> None:
        """Receive the dossier; papers that came with it wait at the counter."""
        self.department, self.counter, self.incomplete = department, counter, incomplete
        self.received_at = at
        if self.channel in ON_PAPER:
            self._add_waiting_papers(at, counter)

    def take_over(self, department: str) -> None:
        """Record the department whose officer works on the dossier, which is the competent one."""
        self.department = department

    def assign_code(self, code: str) -> None:
        """Set the code, which is drawn after the receipt is decided."""
        self.code = code

    def add_documents(self, requirements: Iterable[str | None]) -> None:
        """Record which requirements the documents answer; None answers none."""
        self.handed_in = sorted({*self.handed_in, *(one for one in requirements if one)})

    def request_papers(self, papers: Iterable[str]) -> None:
        """Record the papers that a supplement request asked for."""
        self.requested_papers = sorted({*self.requested_papers, *papers})

    def add_supplement(self, media_types: Collection[str | None], *, counter: int | None, at: datetime) -> None:
        """Supplementary papers came to the counter. Originals received after the receipt wait there.

        A document without a media type is a paper original. Without any document, the dossier's channel decides.
        """
        on_paper = None in media_types or (not media_types and self.channel in ON_PAPER)
        if self.received_at is not None and on_paper:
            self._add_waiting_papers(at, counter or self.counter)

    def send_papers(self) -> None:
        """No papers wait any more: the department has them, or does not need them."""
        self.papers_waiting_since = self.papers_counter = None

    def settle(self, *, electronic: bool, at: datetime) -> None:
        """Settle the dossier; an electronic result is available at once."""
        self.settled_at = at
        if electronic:
            self.result_at = at

    def add_result(self, at: datetime) -> None:
        """The result is at the returning place, or already returned; the first instant counts."""
        self.result_at = self.result_at or at

    def reopen(self) -> None:
        """Remove settlement and result: there will be others."""
        self.settled_at = self.result_at = None

    def extend(self) -> None:
        """Count an extension of the due date."""
        self.extensions += 1

    def begin_step(self, step: int, department: str) -> None:
        """Pass the dossier on to the department of the next step. Raises BrokenHistoryError for any other step."""
        if step != self.step + 1:
            raise BrokenHistoryError(f"Step {step} cannot follow step {self.step}.")
        self.step, self.department = step, department

    def correct_reach(self, reach: Iterable[Reach]) -> None:
        """Replace the ways in which the applicant can be reached."""
        self.reach = list(reach)

    def move(self, to: State, at: datetime) -> None:
        """Enter the state that an act leads to; a pause remembers the state before it."""
        if to in PAUSED and self.state != to:
            self.state_before_pause = self.state
        self.state = to
        self.last_act_at = at

    def record(self, sequence: int, *, touches_clock: bool, sends_papers: bool) -> None:
        """Record the sequence of an act's event, which is known only when the event is published."""
        if touches_clock:
            self.clock_sequence = sequence
        if sends_papers:
            self.papers_sent_sequence = sequence

    def assign(self, assignment: dict[str, Any], *, step: int, department: str) -> bool:
        """Store routing's decision about `step`. Returns whether its competent department differs from the dossier's.

        The first decision sets the department only if none is known; a differing one is only reported. Later ones
        replace it, unless the dossier has reached a later step.
        """
        is_first = self.assignment is None
        self.assignment = assignment
        if step < self.step:
            return False
        if self.department is None or not is_first:
            self.department = department
        return self.department != department

    def set_due(self, due: dict[str, Any]) -> None:
        """Store sla's last event about the clock."""
        self.due = due

    @property
    def is_due_current(self) -> bool:
        """Whether `due` reflects the last act that touched the clock."""
        return self.due is not None and self.due["reflects"] >= self.clock_sequence

    @property
    def receiving_place_missed(self) -> str | None:
        """The receiving place of routing's rule if the dossier was received at another counter, else None.

        Known once receipt and assignment are both known. Online and postal dossiers never count: a clerk of some
        counter receives them, and no applicant came to it. Nor does a rule that names no counter.
        """
        if self.received_at is None or self.counter is None or self.assignment is None or self.channel != "counter":
            return None
        counters: Sequence[int] = self.assignment.get("counters") or ()
        if not counters or self.counter in counters:
            return None
        return self.assignment.get("receiving_department") or "general"

    def _add_waiting_papers(self, at: datetime, counter: int | None) -> None:
        """Papers join those that already wait, which keep their instant and counter."""
        if self.papers_waiting_since is None:
            self.papers_waiting_since, self.papers_counter = at, counter
