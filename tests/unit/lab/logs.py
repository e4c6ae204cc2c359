"""Builders of small event logs: the same rows as CSV and as XES, with their mapping and centre."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from motcua.lab.scenarios.event_log.csv_log import read_csv
from motcua.lab.scenarios.event_log.log import LogRefusedError
from motcua.lab.scenarios.event_log.mapping import parse_mapping
from motcua.lab.scenarios.event_log.plan import Plan, plan
from shared.kernel.centre import Centre

HEADER = (
    "case:concept:name",
    "case:startdate",
    "case:enddate",
    "case:deadline",
    "case:channel",
    "concept:instance",
    "concept:name",
    "org:group",
    "org:resource",
    "time:timestamp",
)
MAPPING = """\
format = 1
system = "test-log"
empty = ["EMPTY"]
pseudonyms = false

[columns]
case = "case:concept:name"
activity = "concept:name"
time = "time:timestamp"
resource = "org:resource"
group = "org:group"
key = ["concept:instance"]

[dossier]
procedure = { value = "L.1" }
department = { value = "GENERAL" }
channel = { column = "case:channel", words = { "Internet" = "online", "Desk" = "counter" } }
start = "case:startdate"
take_over = true
end = "case:enddate"
deadline = "case:deadline"
"""


def row(
    case: str,
    instance: str,
    at: str,
    *,
    activity: str = "Look",
    start: str = "2011-03-01T09:00:00+01:00",
    end: str = "2011-04-01T09:00:00+02:00",
    deadline: str = "2011-04-26T17:00:00+02:00",
    channel: str = "Internet",
    group: str = "EMPTY",
    resource: str = "R1",
) -> tuple[str, ...]:
    """Return a row. By default all rows of a case have the same case columns."""
    return (case, start, end, deadline, channel, instance, activity, group, resource, at)


def as_csv(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    """Return the rows as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue().encode()


def as_xes(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    """Return the rows as XES, with one trace per case and one element per line."""
    cases: dict[str, list[dict[str, str]]] = {}
    for values in rows:
        cells = dict(zip(header, values, strict=True))
        cases.setdefault(cells["case:concept:name"], []).append(cells)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<log xes.version="1.0" xmlns="http://www.xes-standard.org/">']
    lines.append('<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>')
    lines.append('<global scope="event"><string key="concept:name" value="UNKNOWN"/></global>')
    for events in cases.values():
        lines.append("<trace>")
        lines += [_attribute(name[5:], value) for name, value in events[0].items() if name.startswith("case:")]
        for event in events:
            lines.append("<event>")
            lines += [_attribute(name, value) for name, value in event.items() if not name.startswith("case:")]
            lines.append("</event>")
        lines.append("</trace>")
    return "\n".join([*lines, "</log>", ""]).encode()


def _attribute(key: str, value: str) -> str:
    kind = "date" if key.endswith(("date", "timestamp", "deadline")) else "string"
    return f"<{kind} key={quoteattr(key)} value={quoteattr(value)}/>"


def planned(centre: Centre, rows: Sequence[Sequence[str]], mapping: str = MAPPING) -> Plan:
    """Return the plan of the rows."""
    return plan(read_csv("log.csv", as_csv(rows)), parse_mapping(mapping), centre)


def refused(centre: Centre, rows: Sequence[Sequence[str]], mapping: str = MAPPING) -> list[str]:
    """Return the faults for which the rows are rejected. Fail if they are accepted."""
    try:
        planned(centre, rows, mapping)
    except LogRefusedError as refusal:
        return [str(fault) for fault in refusal.faults]
    raise AssertionError("the log was not rejected")


ROOT = Path(__file__).parents[3]
PERMIT_CENTRE = ROOT / "config" / "permit-2010"
PERMIT_LOG = ROOT.parent / "shared" / "data" / "permit_receipt_phase.csv"
