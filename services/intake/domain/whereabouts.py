"""Where a dossier's papers and its result are: what waits at a counter for the next run, what has not come. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.intake.domain.acts import ACTS, State
from shared.kernel.centre import Centre

ON_PAPER = ("counter", "post")
"""The channels by which papers come; of what comes online nothing need be carried."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Papers have waited at counter `papers_counter` since `papers_since`; None: none wait. `papers_sequence` is the
    last event by which papers went to the department, 0 for none.

    `settled_at` is the settlement that now stands, `result_at` when its result came to the returning place, or is
    electronic: one that came before its settlement was recorded counts, one of before a reopening does not.
    """

    papers_since: datetime | None = None
    papers_counter: int | None = None
    papers_sequence: int = 0
    settled_at: datetime | None = None
    result_at: datetime | None = None

    def papers_came(self, at: datetime, counter: int | None) -> "Whereabouts":
        """Papers lie at a counter and must go; to what waits already they are added."""
        if self.papers_since is not None:
            return self
        return replace(self, papers_since=at, papers_counter=counter)

    def papers_went(self, sequence: int | None = None) -> "Whereabouts":
        """The department has them, or nobody needs them any more. `sequence` is the event's, where it is known yet."""
        sent = self.papers_sequence if sequence is None else sequence
        return replace(self, papers_since=None, papers_counter=None, papers_sequence=sent)

    def settled(self, at: datetime, *, electronic: bool) -> "Whereabouts":
        """The department decided; an electronic result is there at once."""
        return replace(self, settled_at=at, result_at=at if electronic else self.result_at)

    def result_came(self, at: datetime) -> "Whereabouts":
        """The result is at the returning place, or beyond it; the first time counts."""
        return replace(self, result_at=self.result_at or at)

    def reopened(self) -> "Whereabouts":
        """There will be another settlement, and another result."""
        return replace(self, settled_at=None, result_at=None)


def brings_papers(media_types: Sequence[str | None], channel: str) -> bool:
    """Whether a supplement brought something to carry: a document without a file is a paper original.

    Where no document is named, the dossier's channel says.
    """
    return None in media_types or (not media_types and channel in ON_PAPER)


def is_own_counter(centre: Centre, counter: int | None, department: str | None, on: date) -> bool:
    """Whether the counter is one of the department's own on that local date: its officer fetches papers there."""
    found = None if counter is None else centre.counter(counter, on)
    return found is not None and found.department is not None and found.department == department


def why_not_handed_over(
    now: Whereabouts, *, state: State, received: bool, department: str | None, batch_for: str, at_counter: int
) -> str | None:
    """Why papers of a dossier cannot go in a batch from a counter to the department `batch_for`; None: they can."""
    if state not in ACTS["hand_over"].moves:
        return f"it is {state}: nothing of it is handed over any more"
    if not received:
        return "it is not received yet"
    if department != batch_for:
        return f"it is {department}'s to resolve, not {batch_for}'s"
    if now.papers_since is not None:
        if now.papers_counter in (None, at_counter):
            return None
        return f"its papers lie at counter {now.papers_counter}, whose clerk hands them over"
    if now.papers_sequence:
        return "the department has its papers already; nothing came since"
    return "it has no papers at a counter"
