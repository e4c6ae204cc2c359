"""Courses: the current stage of each dossier, from which stage durations are measured.

Durations are elapsed time, not working time.
"""

from dataclasses import dataclass, replace

PAUSES = ("supplement_required", "payment_required")
"""States in which the dossier waits for the applicant. The stage is interrupted, and the pause is measured alone."""


@dataclass(frozen=True, slots=True)
class Course:
    """The current stage of one dossier. Instants are seconds since 1970 (centre time), durations seconds.

    `sequence` is that of the last applied event. `stage` is the dossier's state; during a pause, it is the state that
    the pause interrupts. It was entered at `entered_at`, and `paused` is the total of the pauses that ended since.
    `pause` is the state of the current pause, which began at `paused_at`; None without a pause.
    """

    sequence: int
    stage: str
    entered_at: float
    paused: float = 0.0
    pause: str | None = None
    paused_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Transition:
    """A stage or pause that ended: the dossier was in the state `left` for `seconds`, then in the state `entered`.

    The seconds of a stage do not include its pauses. `entered` after a pause is usually the interrupted stage.
    """

    left: str
    entered: str
    seconds: float


def advance(course: Course | None, sequence: int, state: str, at: float) -> tuple[Course, list[Transition]]:
    """Return the course after an event that left the dossier in `state`, and the stages and pauses that ended by it.

    `course` is None before the dossier's first event. A repeated or earlier sequence changes nothing. If an event has
    an earlier time than its predecessor, which is invalid, the duration is 0 and not negative.
    """
    if course is None:
        return _entered(sequence, state, at), []
    if sequence <= course.sequence:
        return course, []
    course = replace(course, sequence=sequence)
    transitions: list[Transition] = []
    if course.pause is not None and course.pause != state:
        seconds = max(0.0, at - course.paused_at)
        transitions.append(Transition(course.pause, state, seconds))
        course = replace(course, paused=course.paused + seconds, pause=None)
    if course.pause == state or course.stage == state:
        return course, transitions
    if state in PAUSES:
        return replace(course, pause=state, paused_at=at), transitions
    transitions.append(Transition(course.stage, state, max(0.0, at - course.entered_at - course.paused)))
    return _entered(sequence, state, at), transitions


def _entered(sequence: int, state: str, at: float) -> Course:
    if state in PAUSES:  # the first event of the dossier is a pause, so the interrupted stage is unknown
        return Course(sequence, "unknown", at, pause=state, paused_at=at)
    return Course(sequence, state, at)
