"""A first draft of a mapping, guessed from a log's columns; whoever knows the log finishes it."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from motcua.lab.scenarios.event_log.instants import moment
from motcua.lab.scenarios.event_log.log import Log

FILL_IN = "FILL-IN"
"""Stands where nothing could be guessed; no centre knows it, so that it is told until it is replaced."""

_CASE = ("case:concept:name", "case_id", "caseid", "case id", "case")
_ACTIVITY = ("concept:name", "activity", "event", "task")
_TIME = ("time:timestamp", "timestamp", "time", "date")
_RESOURCE = ("org:resource", "resource", "user")
_GROUP = ("org:group", "group", "org:role", "role")
_KEYS = (("concept:instance",), ("concept:instance", "lifecycle:transition"))
_CHANNELS = {
    "online": ("internet", "mail", "web", "online", "portal", "digital"),
    "counter": ("desk", "counter", "balie", "walk", "office", "person"),
    "post": ("post", "letter", "paper"),
}
_SAMPLE = 500
_MANY = 60
_NO_OFFSET = ZoneInfo("UTC")  # only tells whether a cell is an instant at all


def suggest(log: Log, *, system: str) -> str:
    """The draft as TOML, each guess with its reason; it can be read as a mapping at once, and says what is missing."""
    return "\n".join([*_Draft(log, system).lines(), ""])


class _Draft:
    def __init__(self, log: Log, system: str) -> None:
        self._log = log
        self._system = system
        self._case = self._named(_CASE)
        self._activity = self._named(_ACTIVITY)
        self._time = self._named(_TIME)
        self._taken = {self._case, self._activity, self._time}
        self._case_columns = self._alike_in_cases()

    def lines(self) -> Iterator[str]:
        yield f"# Drafted from the columns of {self._log.file}: check every line, replace every {FILL_IN}."
        yield "# The format is described in docs/replay.md."
        yield "format = 1"
        yield f"system = {_quoted(self._system)}"
        if any(not _has_offset(cell) for cell in self._cells(self._time)):
            yield f'zone = "{FILL_IN}" # times have no offset: the IANA zone of the log, such as Europe/Amsterdam'
        yield "empty = [] # words that mean that nothing is known, such as EMPTY"
        yield "pseudonyms = true # resources may be people's names, which never travel: false where they are accounts"
        yield from self._columns()
        yield from self._dossier()
        yield from self._attributes()
        yield from self._acts()

    def _columns(self) -> Iterator[str]:
        yield "\n[columns]"
        for place, column in (("case", self._case), ("activity", self._activity), ("time", self._time)):
            yield f"{place} = {_quoted(column or FILL_IN)}"
        for place, names in (("resource", _RESOURCE), ("group", _GROUP)):
            column = self._named(names)
            if column is not None and column not in self._taken:
                self._taken.add(column)
                yield f"{place} = {_quoted(column)}"
        key = next((names for names in _KEYS if self._tell_apart(names)), ())
        self._taken.update(key)
        yield f"key = {_list(key)} # what tells each row from all others; none: case, activity and time do"

    def _dossier(self) -> Iterator[str]:
        instants = [column for column in self._case_columns if self._instants(column)]
        yield "\n[dossier]"
        yield f'procedure = {{ value = "{FILL_IN}" }} # a code of the centre\'s procedures.csv, or a column of the case'
        yield f"department = {self._words('department', self._about('department', 'unit'), {})}"
        yield f"channel = {self._words('channel', self._about('channel'), _CHANNELS)}"
        start = self._first(instants, ("start", "begin", "regist", "receipt", "submit", "reg_"), but=("plan",))
        end = self._first(instants, ("end", "clos", "finish", "complete"), but=("plan", start or "\0"))
        deadline = self._first(instants, ("deadline", "due", "target"), but=())
        told = "a case starts with its first row" if start is None else "guessed from its name"
        yield f"{'# ' if start is None else ''}start = {_quoted(start or FILL_IN)} # {told}"
        yield "take_over = true # the first row shows that somebody began to work"
        told = "nothing settles a case unless a row does" if end is None else "guessed from its name"
        yield f"{'# ' if end is None else ''}end = {_quoted(end or FILL_IN)} # {told}"
        yield 'outcome = { value = "approved" } # or a column of the case, with words for approved and rejected'
        if deadline is not None:
            yield f"deadline = {_quoted(deadline)} # compared with our due date, never played"
        self._taken.update(column for column in (start, end, deadline) if column)

    def _attributes(self) -> Iterator[str]:
        case = [column for column in self._case_columns if column not in self._taken]
        row = [column for column in self._log.columns if column not in {*self._taken, *self._case_columns}]
        yield "\n[attributes] # kept with the dossier in notes, without meaning to the clock"
        yield f"case = {_list(case)}"
        yield f"row = {_list(row)}"

    def _acts(self) -> Iterator[str]:
        counts = Counter(
            row.cells.get(self._activity or "", "") for row in self._log.rows if row.is_event and self._activity
        )
        yield "\n[acts] # every activity is a step of the control slip, except those that are acts, such as"
        yield '# "Ask for papers" = { act = "ask_supplement", data = { papers = ["Drawing"] } }'
        for activity, count in counts.most_common(_MANY):
            yield f"# {count:>7} × {_quoted(activity)}"
        if len(counts) > _MANY:
            yield f"# and {len(counts) - _MANY} more"

    def _words(self, place: str, column: str | None, guesses: dict[str, tuple[str, ...]]) -> str:
        if column is None:
            value = "online" if place == "channel" else FILL_IN
            return f"{{ value = {_quoted(value)} }} # or a column of the case"
        self._taken.add(column)
        words = [word for word, _ in Counter(self._cells(column)).most_common()]
        pairs = ", ".join(f"{_quoted(word)} = {_quoted(_guess(word, guesses))}" for word in words)
        return f"{{ column = {_quoted(column)}, words = {{ {pairs} }} }}"

    def _named(self, names: Sequence[str]) -> str | None:
        by_name = {column.lower(): column for column in reversed(self._log.columns)}
        return next((by_name[name] for name in names if name in by_name), None)

    def _about(self, *words: str) -> str | None:
        return next(
            (
                column
                for word in words
                for column in self._case_columns
                if word in column.lower() and 0 < len(set(self._cells(column))) <= _MANY
            ),
            None,
        )

    def _first(self, columns: Sequence[str], words: Sequence[str], *, but: Sequence[str]) -> str | None:
        return next(
            (
                column
                for word in words
                for column in columns
                if word in column.lower() and not any(other in column.lower() for other in but)
            ),
            None,
        )

    def _alike_in_cases(self) -> list[str]:
        seen: dict[tuple[str, str], str] = {}
        differing: set[str] = set()
        for row in self._log.rows:
            case = row.cells.get(self._case or "", "")
            for column in self._log.columns:
                cell = row.cells.get(column, "")
                if seen.setdefault((case, column), cell) != cell:
                    differing.add(column)
        several = Counter(row.cells.get(self._case or "", "") for row in self._log.rows)
        if max(several.values()) == 1:  # one row a case tells nothing of what is alike in all rows of a case
            differing |= {column for column in self._log.columns if not column.startswith("case:")}
        return [column for column in self._log.columns if column not in {*differing, *self._taken}]

    def _cells(self, column: str | None) -> list[str]:
        return [cell for row in self._log.rows if column and (cell := row.cells.get(column, ""))]

    def _instants(self, column: str) -> bool:
        cells = self._cells(column)[:_SAMPLE]
        return bool(cells) and all(_is_instant(cell) for cell in cells)

    def _tell_apart(self, columns: Sequence[str]) -> bool:
        if any(column not in self._log.columns for column in columns):
            return False
        rows = [tuple(row.cells.get(column, "") for column in columns) for row in self._log.rows if row.is_event]
        return len(set(rows)) == len(rows) and all(map(all, rows))


def _guess(word: str, guesses: dict[str, tuple[str, ...]]) -> str:
    for meaning, parts in guesses.items():
        if any(part in word.lower() for part in parts):
            return meaning
    return FILL_IN


def _is_instant(cell: str) -> bool:
    try:
        moment(cell, _NO_OFFSET)
    except ValueError:
        return False
    return not cell.strip().isdigit()


def _has_offset(cell: str) -> bool:
    try:
        moment(cell, None)
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    """A basic string of TOML; JSON's escapes are all among TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(names: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, names))}]"
