"""`motcua due --jsonl`: one JSON answer for each line, in order. A line with an error does not end the run."""

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from datetime import timedelta
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import BinaryIO

from motcua.due import members
from motcua.due.calendars import Calendars, CalendarSource
from motcua.due.cases import SHARED, Case, Cases, derive_case
from motcua.due.errors import CaseError
from motcua.due.vectorized import MIN_ROWS, VectorizedAnswers
from services.sla.explanations.sentences import Lang
from shared.kernel.centre import Centre

MAX_LINE_BYTES = 1 << 20
"""Longest line, large enough for a calendar with fifteen thousand exceptions."""
_CHUNK, _PIPE = 1 << 21, 1 << 20
_BOM = "\ufeff"
"""The byte order mark at the start of some UTF-8 files; in concatenated files it is on later lines, too."""
_CALENDAR = '"calendar":'
_MAX_SHARED = 8
_SECOND = timedelta(seconds=1)


def answer_lines(file: Path | None, centre: Callable[[], Centre], *, explain_in: Lang | None = None) -> None:
    """Write the answers to the cases of a file, or of standard input (None or `-`), to standard output. Blocks.

    With `explain_in`, each answer has an explanation in that language. Returns normally if the reader of standard
    output closes the pipe. Raises OSError for a file that cannot be read, and StartError if a case names a calendar but
    the centre's folder, which `centre` loads, cannot be read.
    """
    with nullcontext(sys.stdin.buffer) if file is None or str(file) == "-" else file.open("rb") as source:
        _enlarge_pipe(source)
        try:
            run_lines(source, sys.stdout.buffer, centre, explain_in=explain_in)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # discards what is still buffered


def run_lines(source: BinaryIO, sink: BinaryIO, centre: Callable[[], Centre], *, explain_in: Lang | None = None) -> int:
    """Write an answer to `sink` for every line of `source`, and return the number of error answers. Blocks.

    All available lines are answered and flushed before the next read, so a client can send line by line. Raises
    BrokenPipeError if the reader of `sink` closes the pipe, and StartError if a case names a calendar but the centre's
    folder, which `centre` loads, cannot be read.
    """
    answers = Answers(centre, explain_in)
    for batch in _batches(source):
        sink.write("".join(answers.of_all(batch)).encode())
        sink.flush()
    return answers.errors


class Answers:
    """Answers lines in order. `errors` counts the lines that were answered with an error.

    A calendar that several lines share is recognised by its text and parsed only once.
    """

    def __init__(self, centre: Callable[[], Centre], explain_in: Lang | None = None) -> None:
        self._explain_in = explain_in
        self._cases = Cases(Calendars(centre))
        self._vectorized = VectorizedAnswers(self._cases)
        self._decode = json.JSONDecoder().raw_decode
        self._shared: list[tuple[str, CalendarSource]] = []
        self._previous: CalendarSource | None = None
        self.errors = 0

    def of_all(self, lines: Sequence[bytes | None]) -> list[str]:
        """Return the answer to each line, in order: vectorised where possible, else row by row. Raises StartError."""
        if self._explain_in is not None or len(lines) < MIN_ROWS:
            return [self.of(line) for line in lines]
        return [answer or self.of(line) for answer, line in zip(self._vectorized.answers(lines), lines, strict=True)]

    def of(self, line: bytes | None) -> str:
        """Return the answer to one line (None: a line that was too long), as JSON with a line feed. Raises StartError.

        A faulty case is answered with its error, and counted.
        """
        case_id = "null"
        try:
            text = _text(line)
            spliced, shared = self._recognised(text)
            try:
                raw = members.parse(spliced)
            except CaseError:  # its message has a position, which must be that in the original line
                raw, shared = members.parse(text), None
            case_id = _id_as_json(raw)
            case = self._cases.read(raw, shared)
            if shared is None and not case.source.has_span:
                self._learn(text, case.source)
            members_of_answer = _answer_members(case)
            if self._explain_in is not None:
                from motcua.due.explanation import explanation_of  # here: rarely needed, and slow to import

                members_of_answer += f',"explanation":{explanation_of(case, self._explain_in)}'
            return f'{{"id":{case_id},{members_of_answer}}}\n'
        except CaseError as error:
            self.errors += 1
            return f'{{"id":{case_id},"error":{{"type":"{error.type}","detail":{quoted(error.detail)}}}}}\n'

    def _recognised(self, text: str) -> tuple[str, CalendarSource | None]:
        """Replace the text of a remembered calendar in the line by SHARED. Return the new line and that calendar.

        If the line has no remembered calendar, return it unchanged, and None. The replacement is safe: the remembered
        text starts with the member's name and is complete JSON, so the next member follows it. A member of that name is
        an error anywhere but in the case itself, where it may occur once.
        """
        at = text.find(_CALENDAR) if self._shared else -1
        if at >= 0:
            for known, source in self._shared:
                if text.startswith(known, at):
                    return f"{text[:at]}{_CALENDAR}{SHARED}{text[at + len(known) :]}", source
        return text, None

    def _learn(self, text: str, source: CalendarSource) -> None:
        """Remember the text of `source`, the inline calendar of this line, if the line before had the same calendar."""
        at = text.find(_CALENDAR)
        if source is self._previous and at >= 0:
            value = text[at + len(_CALENDAR) :].lstrip()
            _, end = self._decode(text, len(text) - len(value))
            self._shared = [(text[at:end], source), *self._shared[: _MAX_SHARED - 1]]
        self._previous = source


def _text(line: bytes | None) -> str:
    if line is None:
        raise CaseError("line-too-long", f"The line has more than {MAX_LINE_BYTES} bytes.")
    try:
        return line.decode().removeprefix(_BOM).strip(" \t\r")
    except UnicodeDecodeError as error:
        raise CaseError("not-utf8", f"Byte {error.start + 1} of the line is not UTF-8.") from None


def _id_as_json(raw: object) -> str:
    """Return the member `id` of a decoded line, encoded as JSON.

    Raises CaseError unless the line is an object whose `id` is a string or a whole number.
    """
    if not isinstance(raw, dict):
        raise CaseError("not-json", "The line is not a JSON object.")
    found = raw.get("id")
    if type(found) is str:
        return quoted(found)
    if type(found) is int:
        return str(found)
    if "id" not in raw:
        raise CaseError("member-missing", "The case lacks id.")
    raise CaseError("member-invalid", "id must be a string or a whole number.")


def _answer_members(case: Case) -> str:
    """Derive the case, and return the members of its answer, without the id, as JSON text. Raises CaseError.

    Instants are in the calendar's zone.
    """
    start, course, calendar = derive_case(case)
    zone = calendar.worktime.zone
    try:
        counted_from = f'"counted_from":"{start.astimezone(zone).isoformat()}"'
        if course is None:
            return f'{counted_from},"due_at":null,"state":"no_term"'
        if course.paused_from is not None:
            left = course.left(calendar) // _SECOND
            return f'{counted_from},"due_at":null,"remaining_seconds":{left},"state":"paused"'
        due_at = f'"due_at":"{course.due.at.astimezone(zone).isoformat()}"'
    except OverflowError:  # the last hours of the year 9999
        raise CaseError("outside-calendar", "The due date is later than any calendar can cover.") from None
    if case.pauses and case.pauses[-1].end is None:  # paused from the due date on, which stays: no time is left
        return f'{counted_from},{due_at},"remaining_seconds":0,"state":"paused"'
    return f'{counted_from},{due_at},"state":"running"'


def _enlarge_pipe(source: BinaryIO) -> None:
    """Enlarge the kernel's buffer if `source` is a pipe, since larger batches need less time per line. Never fails."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # not a pipe, or the limit of the account is reached
            fcntl.fcntl(source.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)


def _batches(source: BinaryIO) -> Iterator[list[bytes | None]]:
    """Yield the lines that each read of the stream completes, as one list. Blocks.

    None replaces a line that is too long. The last line need not end in a line feed.
    """
    read: Callable[[int], bytes] = getattr(source, "read1", source.read)
    rest, too_long = b"", False
    while chunk := read(_CHUNK):
        first, *others = chunk.split(b"\n")
        rest += first
        lines: list[bytes | None] = []
        for following in others:
            too_long = too_long or len(rest) > MAX_LINE_BYTES
            lines.append(None if too_long else rest)
            rest, too_long = following, False
        if len(rest) > MAX_LINE_BYTES:
            rest, too_long = b"", True
        if lines:
            yield lines
    if rest or too_long:
        yield [None if too_long else rest]
