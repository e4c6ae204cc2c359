"""JSON lines in, JSON lines out: one answer a line, in order; a bad line is answered, and the run goes on."""

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
from motcua.due.calendars import Calendars, Source
from motcua.due.cases import SHARED, Case, Cases, derived
from motcua.due.errors import CaseError
from motcua.due.plain import FEWEST, Plain
from services.sla.explanations.sentences import Lang
from shared.kernel.centre import Centre

MOST_BYTES = 1 << 20
"""The longest line that is read; a calendar of fifteen thousand exceptions fits."""
_CHUNK, _PIPE = 1 << 21, 1 << 20
_BOM = "\ufeff"
"""The mark with which some programs begin a UTF-8 file; where files were joined it stands on later lines, too."""
_CALENDAR = '"calendar":'
_MOST_SHARED = 8
_SECOND = timedelta(seconds=1)


def answer_lines(file: Path | None, centre: Callable[[], Centre], *, explain_in: Lang | None = None) -> None:
    """Answer the cases of a file, or of standard input (None, or the name `-`), on standard output. Blocks.

    With an explanation in that language, if one is named. Ends quietly when nobody reads on.
    Raises OSError for a file that cannot be read, and StartError.
    """
    with nullcontext(sys.stdin.buffer) if file is None or str(file) == "-" else file.open("rb") as source:
        _widen(source)
        try:
            run_lines(source, sys.stdout.buffer, centre, explain_in=explain_in)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered goes nowhere


def run_lines(source: BinaryIO, sink: BinaryIO, centre: Callable[[], Centre], *, explain_in: Lang | None = None) -> int:
    """Answer every line of `source`; gives the number of errors among the answers. Blocks on both streams.

    Whatever can be answered is written and flushed before more is waited for, so that a program may ask line by line.
    Raises BrokenPipeError when nobody reads on, and StartError where a centre's folder is needed and cannot be read.
    """
    answers = Answers(centre, explain_in)
    for batch in _batches(source):
        sink.write("".join(answers.of_all(batch)).encode())
        sink.flush()
    return answers.errors


class Answers:
    """Answers lines one after the other; `errors` counts those that were answered by an error.

    A calendar that lines share is recognised by its text, so that it is parsed once, not once a line.
    """

    def __init__(self, centre: Callable[[], Centre], explain_in: Lang | None = None) -> None:
        self._explain_in = explain_in
        self._cases = Cases(Calendars(centre))
        self._plain = Plain(self._cases)
        self._decode = json.JSONDecoder().raw_decode
        self._shared: list[tuple[str, Source]] = []
        self._before: Source | None = None
        self.errors = 0

    def of_all(self, lines: Sequence[bytes | None]) -> list[str]:
        """The answers to several lines: the plain ones at once, all others one by one."""
        if self._explain_in is not None or len(lines) < FEWEST:
            return [self.of(line) for line in lines]
        return [told or self.of(line) for told, line in zip(self._plain.answers(lines), lines, strict=True)]

    def of(self, line: bytes | None) -> str:
        """The answer to one line (None: it was too long to be read), with its line feed."""
        name = "null"
        try:
            text = _text(line)
            spliced, shared = self._recognised(text)
            try:
                given = members.parsed(spliced)
            except CaseError:  # which tells a place: that in the line as it came
                given, shared = members.parsed(text), None
            name = _name(given)
            case = self._cases.read(given, shared)
            if shared is None and not case.source.has_span:
                self._learn(text, case.source)
            told = _told(case)
            if self._explain_in is not None:
                from motcua.due.explained import explained  # here, since few need it and its parts take long to import

                told += f',"explanation":{explained(case, self._explain_in)}'
            return f'{{"id":{name},{told}}}\n'
        except CaseError as error:
            self.errors += 1
            return f'{{"id":{name},"error":{{"type":"{error.type}","detail":{quoted(error.detail)}}}}}\n'

    def _recognised(self, text: str) -> tuple[str, Source | None]:
        """The line with SHARED in place of a calendar that is known by its text.

        The text begins with the member's name and is whole JSON, so what follows it is the next member; anywhere but
        in the case itself a member of that name is an error, whatever its value, and in the case it stands once.
        """
        at = text.find(_CALENDAR) if self._shared else -1
        if at >= 0:
            for known, source in self._shared:
                if text.startswith(known, at):
                    return f"{text[:at]}{_CALENDAR}{SHARED}{text[at + len(known) :]}", source
        return text, None

    def _learn(self, text: str, source: Source) -> None:
        """Keep the text of a calendar that came twice in a row."""
        at = text.find(_CALENDAR)
        if source is self._before and at >= 0:
            value = text[at + len(_CALENDAR) :].lstrip()
            _, end = self._decode(text, len(text) - len(value))
            self._shared = [(text[at:end], source), *self._shared[: _MOST_SHARED - 1]]
        self._before = source


def _text(line: bytes | None) -> str:
    if line is None:
        raise CaseError("line-too-long", f"the line has more than {MOST_BYTES} bytes")
    try:
        return line.decode().removeprefix(_BOM).strip(" \t\r")
    except UnicodeDecodeError as error:
        raise CaseError("not-utf8", f"byte {error.start + 1} of the line is not UTF-8") from None


def _name(given: object) -> str:
    """The case's id as it is echoed: a string or a whole number. Raises CaseError."""
    if not isinstance(given, dict):
        raise CaseError("not-json", "the line is no JSON object")
    found = given.get("id")
    if type(found) is str:
        return quoted(found)
    if type(found) is int:
        return str(found)
    if "id" not in given:
        raise CaseError("member-missing", "the case lacks id")
    raise CaseError("member-invalid", "id is a string or a whole number")


def _told(case: Case) -> str:
    """The answer's members after the id, in the calendar's zone."""
    start, course, calendar = derived(case)
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
        raise CaseError("outside-calendar", "the due date lies beyond every calendar") from None
    if case.pauses and case.pauses[-1].end is None:  # a pause from the due date on: that stays, and nothing is left
        return f'{counted_from},{due_at},"remaining_seconds":0,"state":"paused"'
    return f'{counted_from},{due_at},"state":"running"'


def _widen(source: BinaryIO) -> None:
    """Let a pipe hold as much as Linux allows anybody, for the more lines are there the sooner each is answered."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # a file or a terminal, or the account's pipes hold enough together
            fcntl.fcntl(source.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)


def _batches(source: BinaryIO) -> Iterator[list[bytes | None]]:
    """The lines of a stream, as many at a time as have come; None for one that is too long. Blocks."""
    read: Callable[[int], bytes] = getattr(source, "read1", source.read)
    rest, too_long = b"", False
    while chunk := read(_CHUNK):
        first, *others = chunk.split(b"\n")
        rest += first
        lines: list[bytes | None] = []
        for following in others:
            too_long = too_long or len(rest) > MOST_BYTES
            lines.append(None if too_long else rest)
            rest, too_long = following, False
        if len(rest) > MOST_BYTES:
            rest, too_long = b"", True
        if lines:
            yield lines
    if rest or too_long:
        yield [None if too_long else rest]
