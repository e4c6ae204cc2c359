"""Draft of a mapping, guessed from a log's columns. A person who knows the log must complete it."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from motcua.lab.scenarios.event_log.instants import parse_instant
from motcua.lab.scenarios.event_log.log import Log

FILL_IN = "FILL-IN"
"""The placeholder for what cannot be guessed. A mapping or its plan is rejected while it contains one."""

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
_ANY_ZONE = ZoneInfo("UTC")  # only to test whether a cell is an instant


def draft_mapping(log: Log, *, system: str) -> str:
    """Return the draft of a mapping as TOML, with comments for the person who completes it. Writes no file.

    `system` is the log's name in the mapping. What cannot be guessed is `FILL-IN`, with which the draft is rejected.
    """
    return "\n".join([*_Draft(log, system).lines(), ""])


class _Draft:
    def __init__(self, log: Log, system: str) -> None:
        self._log = log
        self._system = system
        self._case = self._named(_CASE)
        self._activity = self._named(_ACTIVITY)
        self._time = self._named(_TIME)
        self._taken = {self._case, self._activity, self._time}
        self._case_columns = self._constant_in_cases()

    def lines(self) -> Iterator[str]:
        yield f"# Draft from the columns of {self._log.file}. Check every line and replace every {FILL_IN}."
        yield "# The format is described in docs/replay.md."
        yield "format = 1"
        yield f"system = {_quoted(self._system)}"
        if any(not _has_offset(cell) for cell in self._cells(self._time)):
            yield f'zone = "{FILL_IN}" # times have no offset: enter the IANA zone of the log, such as Europe/Amsterdam'
        yield "empty = [] # words for an unknown value, such as EMPTY"
        yield "pseudonyms = true # resources may be names of persons; false only if they are accounts"
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
        key = next((names for names in _KEYS if self._is_unique(names)), ())
        self._taken.update(key)
        yield f"key = {_list(key)} # columns that together are unique in each row; if empty: case, activity and time"

    def _dossier(self) -> Iterator[str]:
        instants = [column for column in self._case_columns if self._instants(column)]
        yield "\n[dossier]"
        yield f'procedure = {{ value = "{FILL_IN}" }} # a code of the centre\'s procedures.csv, or a column of the case'
        yield f"department = {self._words('department', self._about('department', 'unit'), {})}"
        yield f"channel = {self._words('channel', self._about('channel'), _CHANNELS)}"
        start = self._first(instants, ("start", "begin", "regist", "receipt", "submit", "reg_"), but=("plan",))
        end = self._first(instants, ("end", "clos", "finish", "complete"), but=("plan", start or "\0"))
        deadline = self._first(instants, ("deadline", "due", "target"), but=())
        comment = "a case starts with its first row" if start is None else "guessed from its name"
        yield f"{'# ' if start is None else ''}start = {_quoted(start or FILL_IN)} # {comment}"
        yield "take_over = true # the first row takes the dossier over"
        comment = "only a row can settle a case" if end is None else "guessed from its name"
        yield f"{'# ' if end is None else ''}end = {_quoted(end or FILL_IN)} # {comment}"
        yield 'outcome = { value = "approved" } # or a column of the case, with words for approved and rejected'
        if deadline is not None:
            yield f"deadline = {_quoted(deadline)} # compared with the centre's due date, never played"
        self._taken.update(column for column in (start, end, deadline) if column)

    def _attributes(self) -> Iterator[str]:
        case = [column for column in self._case_columns if column not in self._taken]
        row = [column for column in self._log.columns if column not in {*self._taken, *self._case_columns}]
        yield "\n[attributes] # stored in notes of the control slip; they do not affect the clock"
        yield f"case = {_list(case)}"
        yield f"row = {_list(row)}"

    def _acts(self) -> Iterator[str]:
        counts = Counter(
            row.cells.get(self._activity or "", "") for row in self._log.rows if row.is_event and self._activity
        )
        yield "\n[acts] # activities that are acts; all others become steps of the control slip. Example:"
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

    def _constant_in_cases(self) -> list[str]:
        seen: dict[tuple[str, str], str] = {}
        differing: set[str] = set()
        for row in self._log.rows:
            case = row.cells.get(self._case or "", "")
            for column in self._log.columns:
                cell = row.cells.get(column, "")
                if seen.setdefault((case, column), cell) != cell:
                    differing.add(column)
        several = Counter(row.cells.get(self._case or "", "") for row in self._log.rows)
        if max(several.values()) == 1:  # with one row per case, every column is constant
            differing |= {column for column in self._log.columns if not column.startswith("case:")}
        return [column for column in self._log.columns if column not in {*differing, *self._taken}]

    def _cells(self, column: str | None) -> list[str]:
        return [cell for row in self._log.rows if column and (cell := row.cells.get(column, ""))]

    def _instants(self, column: str) -> bool:
        cells = self._cells(column)[:_SAMPLE]
        return bool(cells) and all(_is_instant(cell) for cell in cells)

    def _is_unique(self, columns: Sequence[str]) -> bool:
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
        parse_instant(cell, _ANY_ZONE)
    except ValueError:
        return False
    return not cell.strip().isdigit()


def _has_offset(cell: str) -> bool:
    try:
        parse_instant(cell, None)
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    """Return the text as a TOML string, quoted and escaped. Every escape of JSON is also one of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(names: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, names))}]"
