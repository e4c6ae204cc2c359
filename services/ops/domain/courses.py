"""A dossier's way through its states, as far as times at each stage need it. Times are elapsed, not working time."""

from dataclasses import dataclass, replace

PAUSES = ("supplement_required", "payment_required")
"""While a dossier waits for its applicant no stage runs; how long it does is told apart."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where a dossier stands. Instants and durations in seconds (instants since 1970, centre time).

    `sequence` is the last event that was taken in. `stage` is the present state, or the one that a pause interrupts;
    it was entered at `entered_at`, and `paused` seconds since then do not count. In a pause, `pause` is its state and
    `paused_at` its begin.
    """

    sequence: int
    stage: str
    entered_at: float
    paused: float = 0.0
    pause: str | None = None
    paused_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A stage or a pause that ended: `left` is its state, `entered` the one after it (for a pause, the interrupted
    stage or what ended it)."""

    left: str
    entered: str
    seconds: float


def advance(course: Course | None, sequence: int, state: str, at: float) -> tuple[Course, list[Passage]]:
    """The course after an event that left the dossier in `state`, and what ended with it; an event already taken in,
    none.

    Times before an earlier event's (nobody should tell such) give durations of 0, never negative ones.
    """
    if course is None:
        return _entered(sequence, state, at), []
    if sequence <= course.sequence:
        return course, []
    course = replace(course, sequence=sequence)
    passages: list[Passage] = []
    if course.pause is not None and course.pause != state:
        waited = max(0.0, at - course.paused_at)
        passages.append(Passage(course.pause, state, waited))
        course = replace(course, paused=course.paused + waited, pause=None)
    if course.pause == state or course.stage == state:
        return course, passages
    if state in PAUSES:
        return replace(course, pause=state, paused_at=at), passages
    passages.append(Passage(course.stage, state, max(0.0, at - course.entered_at - course.paused)))
    return _entered(sequence, state, at), passages


def _entered(sequence: int, state: str, at: float) -> Course:
    if state in PAUSES:  # the first that is seen of it: what it interrupts is unknown
        return Course(sequence, "unknown", at, pause=state, paused_at=at)
    return Course(sequence, state, at)
