"""The aggregate: the state of one dossier, and every change of it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.intake.domain.errors import BrokenHistoryError
from services.intake.domain.life_cycle import PAUSED
from shared.kernel.vocabulary import Channel, Reach, State

ON_PAPER = ("counter", "post")
"""The channels that bring papers; an online dossier has none to carry."""


@dataclass(kw_only=True)
class Dossier:
    """One dossier. Acts and the events of other services change it only through its methods, in memory.

    `state` is None until the submission; other services' events may arrive before. `due` is sla's last event about the
    clock, `assignment` routing's last decision, both as JSON. `clock_sequence` is the sequence of the last event that
    touched the clock. `department` is the competent one, `counter` the one of the receipt. `handed_in` has the keys of
    the requirements that documents answer, `requested_papers` the names of the papers asked for; both have free text
    while the procedure's requirements are not entered. `step` is the current one, from 1 on; `extensions` counts
    extensions of the due date.

    Papers have waited at counter `papers_counter` since `papers_waiting_since` (None: no papers wait);
    `papers_sent_sequence` is the sequence of the last event that sent papers to the department, 0 for none.
    `settled_at` is the instant of the settlement in force. `result_at` is when the result became available: an
    electronic one at once, one on paper at the returning place. A result that arrives before its settlement is recorded
    counts; one before a reopening does not.
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
        """Store the content of a submission. `by` is the id of the actor; move() sets the state."""
        self.procedure, self.department, self.channel = procedure, department, channel
        self.submitted_by, self.submitted_at = by, at
        self.reach = list(reach)

    def receive(self, *, department: str, counter: int | None, incomplete: bool, at: datetime) -> None:
        """Store the content of a receipt; move() sets the state.

        Papers that came with the dossier, by the channels `counter` and `post`, wait at the counter.
        """
        self.department, self.counter, self.incomplete = department, counter, incomplete
        self.received_at = at
        if self.channel in ON_PAPER:
            self._add_waiting_papers(at, counter)

    def take_over(self, department: str) -> None:
        """Set the competent department to that of the officer who takes the dossier over."""
        self.department = department

    def assign_code(self, code: str) -> None:
        """Set the dossier's code, which is drawn only after the receipt is decided."""
        self.code = code

    def add_documents(self, requirements: Iterable[str | None]) -> None:
        """Add to `handed_in` the requirements that new documents answer; None is a document that answers none."""
        self.handed_in = sorted({*self.handed_in, *(one for one in requirements if one)})

    def request_papers(self, papers: Iterable[str]) -> None:
        """Add to `requested_papers` the papers that a supplement request asks for."""
        self.requested_papers = sorted({*self.requested_papers, *papers})

    def add_supplement(self, media_types: Collection[str | None], *, counter: int | None, at: datetime) -> None:
        """Record that supplementary documents came; paper originals wait at the counter if the dossier is received.

        `media_types` has one entry per document, None for a paper original. If it is empty, papers came unless the
        dossier was submitted online. Without `counter`, papers wait at the counter of the receipt.
        """
        on_paper = None in media_types or (not media_types and self.channel in ON_PAPER)
        if self.received_at is not None and on_paper:
            self._add_waiting_papers(at, counter or self.counter)

    def send_papers(self) -> None:
        """Record that no papers wait at a counter any more: the department has them, or does not need them."""
        self.papers_waiting_since = self.papers_counter = None

    def settle(self, *, electronic: bool, at: datetime) -> None:
        """Store the instant of the settlement; move() sets the state.

        An electronic result is available at the same instant.
        """
        self.settled_at = at
        if electronic:
            self.result_at = at

    def add_result(self, at: datetime) -> None:
        """Store when the result came to the returning place or to the applicant; the first instant counts."""
        self.result_at = self.result_at or at

    def reopen(self) -> None:
        """Remove the instants of settlement and result; a later settlement sets them again."""
        self.settled_at = self.result_at = None

    def extend(self) -> None:
        """Count one more extension of the due date; sla, not intake, derives the new due date."""
        self.extensions += 1

    def begin_step(self, step: int, department: str) -> None:
        """Make `step` the current step and its department the competent one.

        Raises BrokenHistoryError if `step` does not follow the current step.
        """
        if step != self.step + 1:
            raise BrokenHistoryError(f"Step {step} cannot follow step {self.step}.")
        self.step, self.department = step, department

    def correct_reach(self, reach: Iterable[Reach]) -> None:
        """Replace the ways in which the applicant can be reached."""
        self.reach = list(reach)

    def move(self, to: State, at: datetime) -> None:
        """Set the state that an act leads to, and the instant of the last act.

        On entering a pause, the state before it is stored in `state_before_pause`.
        """
        if to in PAUSED and self.state != to:
            self.state_before_pause = self.state
        self.state = to
        self.last_act_at = at

    def record(self, sequence: int, *, touches_clock: bool, sends_papers: bool) -> None:
        """Store the sequence of an act's published event.

        It becomes the last sequence that touched the clock, the last that sent papers, both or none, according to the
        flags.
        """
        if touches_clock:
            self.clock_sequence = sequence
        if sends_papers:
            self.papers_sent_sequence = sequence

    def assign(self, assignment: dict[str, Any], *, step: int, department: str) -> bool:
        """Store routing's decision about `step`, and return whether its `department` differs from the dossier's.

        The first decision sets the dossier's department only if none is known. Every later decision replaces it, unless
        the dossier has already reached a later step: then the department stays, and the result is False.
        """
        is_first = self.assignment is None
        self.assignment = assignment
        if step < self.step:
            return False
        if self.department is None or not is_first:
            self.department = department
        return self.department != department

    def set_due(self, due: dict[str, Any]) -> None:
        """Store sla's last event about the clock in `due`."""
        self.due = due

    @property
    def is_due_current(self) -> bool:
        """Whether `due` reflects the dossier's last event that touched the clock; False while `due` is None."""
        return self.due is not None and self.due["reflects"] >= self.clock_sequence

    @property
    def receiving_place_missed(self) -> str | None:
        """The receiving place that routing assigned, if the dossier was received at a counter outside it, else None.

        The value is a department's code, or `general` for the general counter. It is None until receipt and assignment
        are both known, and if the assignment names no counters. It is None for online and postal dossiers, too: a clerk
        of any counter receives them, and the applicant did not come to a counter.
        """
        if self.received_at is None or self.counter is None or self.assignment is None or self.channel != "counter":
            return None
        counters: Sequence[int] = self.assignment.get("counters") or ()
        if not counters or self.counter in counters:
            return None
        return self.assignment.get("receiving_department") or "general"

    def _add_waiting_papers(self, at: datetime, counter: int | None) -> None:
        """Record that papers wait at a counter; if papers already wait, their instant and counter stay."""
        if self.papers_waiting_since is None:
            self.papers_waiting_since, self.papers_counter = at, counter
