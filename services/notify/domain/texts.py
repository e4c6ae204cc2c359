"""What an alert says: which placeholders each text needs, and how values become words.

Texts are looked up by dotted key ("received.sms"). Every SMS is complete without a link: the dossier, what happened,
what to bring, where, date, hotline; so these placeholders are required, not offered.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from services.notify.domain.sms import encode, without_diacritics

PAPERS_IN_SMS = 220
"""Characters that the list of papers may fill in an SMS; the rest is counted and stands in the form and the e-mail."""

_ALWAYS = frozenset({"dossier", "date", "hotline"})
_GO = _ALWAYS | {"where", "address"}
NEEDED: Mapping[str, frozenset[str]] = {
    "received": _GO | {"due"},
    "received_no_due": _GO,
    "refused": _GO | {"form"},
    "supplement_required": _GO | {"papers", "form"},
    "supplement_required_before_receipt": _GO | {"papers", "form"},
    "payment_required": _GO | {"amount"},
    "due_date_changed": _GO | {"due"},
    "due_date_delayed": _GO | {"due", "due_before"},
    "result_ready": _GO,
    "result_ready_electronic": _GO,
    "returned": _ALWAYS,
    "stopped": _GO | {"form"},
    "withdrawn": _GO,
}
"""Template -> the placeholders that its SMS and its e-mail must hold."""

OFFERED = _GO | {"centre"}
"""Placeholders that every template may hold besides."""

PHRASES: Mapping[str, frozenset[str]] = {
    "phrases.with_code": frozenset({"code"}),
    "phrases.without_code": frozenset({"submitted"}),
    "phrases.at_counters": frozenset({"counters"}),
    "phrases.at_general_counter": frozenset({"counters"}),
    "phrases.at_guidance": frozenset(),
    "phrases.at_results": frozenset(),
    "phrases.at_fees": frozenset({"counters"}),
    "phrases.more_papers": frozenset({"count"}),
    "phrases.papers_on_form": frozenset(),
}
"""Building blocks of the texts -> their placeholders."""

CENTRE = frozenset({"centre.name", "centre.address", "centre.hotline"})
"""What the centre's own settings add to every version of the texts."""

TEXTS = frozenset(f"{template}.{part}" for template in NEEDED for part in ("sms", "subject", "email"))
NUMBERS = frozenset(f"{template}.{part}" for template in NEEDED for part in ("sms_parts", "valid_hours"))
"""Numbers kept beside the texts: the parts that an SMS may cost at most, and how long an alert is worth sending."""

FETCHED = frozenset({"received", "received_no_due", "due_date_changed", "due_date_delayed", "result_ready"})
"""Templates that tell where the result is fetched; all others, where papers are brought."""

_LONG_AT = "2026-11-30T09:30:00+00:00"
LONGEST: Mapping[str, Any] = {
    "at": _LONG_AT,
    "submitted_at": _LONG_AT,
    "due_at": _LONG_AT,
    "due_before": _LONG_AT,
    "code": "H10.18.05-171120-0123456",
    "form": "H10.18.05-171120-F02-012345",
    "fees": [42, 43],
    "amount_vnd": 9_999_999_999,
    "papers": ["Giấy chứng nhận đủ điều kiện hoạt động, bản sao có chứng thực của cơ quan có thẩm quyền; " * 3] * 12,
}
"""Values as long as they get: with these, no SMS may cost more parts than its text states."""

LONGEST_PLACE: Mapping[str, Any] = {"kind": "department", "counters": [37, 38, 39, 40, 41], "returning": "STP"}


def render_sms(
    texts: Mapping[str, str], template: str, values: Mapping[str, Any], place: Mapping[str, Any] | None, zone: tzinfo
) -> str:
    """The SMS, in plain letters. `values` are the alert's; `place` is what routing decided (None: ask at guidance)."""
    papers = _papers_in_short(texts, _papers(texts, values))
    return without_diacritics(texts[f"{template}.sms"].format_map(_words(texts, template, values, place, zone, papers)))


def render_email(
    texts: Mapping[str, str], template: str, values: Mapping[str, Any], place: Mapping[str, Any] | None, zone: tzinfo
) -> tuple[str, str]:
    """Subject and text of the e-mail, with diacritics and every paper on a line of its own."""
    papers = "\n".join(f"- {paper}" for paper in _papers(texts, values))
    words = _words(texts, template, values, place, zone, papers)
    return texts[f"{template}.subject"].format_map(words), texts[f"{template}.email"].format_map(words)


def too_long(texts: Mapping[str, str], numbers: Mapping[str, int], zone: tzinfo) -> list[str]:
    """Every SMS that needs UCS-2, or more parts than stated, when its values are as long as they get: "key: reason"."""
    wrong = []
    for template in NEEDED:
        encoded = encode(render_sms(texts, template, LONGEST, LONGEST_PLACE, zone))
        stated = numbers[f"{template}.sms_parts"]
        if encoded.alphabet != "gsm7":
            wrong.append(f"{template}.sms: has a letter outside the GSM alphabet, so it would cost twice: replace it")
        elif len(encoded.parts) > stated:
            wrong.append(f"{template}.sms: {len(encoded.parts)} parts with long values, {stated} stated: shorten it")
    return wrong


def _words(
    texts: Mapping[str, str],
    template: str,
    values: Mapping[str, Any],
    place: Mapping[str, Any] | None,
    zone: tzinfo,
    papers: str,
) -> dict[str, str]:
    words = {
        "centre": texts["centre.name"],
        "address": texts["centre.address"],
        "hotline": texts["centre.hotline"],
        "where": _where(texts, template, place, values.get("fees")),
        "dossier": _dossier(texts, values, zone),
        "date": _day(values["at"], zone),
        "papers": papers,
    }
    for name in ("due_at", "due_before"):
        if values.get(name):
            words[name.removesuffix("_at")] = _instant(values[name], zone)
    if "form" in values:
        words["form"] = values["form"]
    if "amount_vnd" in values:
        words["amount"] = f"{values['amount_vnd']:,}".replace(",", ".")
    return words


def _dossier(texts: Mapping[str, str], values: Mapping[str, Any], zone: tzinfo) -> str:
    if values["code"]:
        return texts["phrases.with_code"].format(code=values["code"])
    return texts["phrases.without_code"].format(submitted=_day(values["submitted_at"], zone))


def _where(texts: Mapping[str, str], template: str, place: Mapping[str, Any] | None, fees: Sequence[int] | None) -> str:
    if fees:
        return texts["phrases.at_fees"].format(counters=_numbers(fees))
    if place and template in FETCHED and place["returning"] == "results":
        return texts["phrases.at_results"]
    # Papers of a pooled department are brought to the general counter, but its results are not handed out there.
    pooled_result = place and template in FETCHED and place["kind"] == "general"
    if not place or not place["counters"] or pooled_result:
        return texts["phrases.at_guidance"]
    key = "phrases.at_general_counter" if place["kind"] == "general" else "phrases.at_counters"
    return texts[key].format(counters=_numbers(place["counters"]))


def _numbers(counters: Sequence[int]) -> str:
    """Up to five of them, each of which will do."""
    return ", ".join(str(number) for number in counters[:5])


def _papers(texts: Mapping[str, str], values: Mapping[str, Any]) -> list[str]:
    """The papers to bring; where none are told, the form that names them."""
    return list(values.get("papers", ())) or [texts["phrases.papers_on_form"]]


def _papers_in_short(texts: Mapping[str, str], papers: list[str]) -> str:
    listed = "; ".join(papers)
    kept = len(papers)
    while len(listed) > PAPERS_IN_SMS and kept > 1:
        kept -= 1
        more = texts["phrases.more_papers"].format(count=len(papers) - kept)
        listed = f"{'; '.join(papers[:kept])} {more}"
    return listed if len(listed) <= PAPERS_IN_SMS else f"{listed[: PAPERS_IN_SMS - 3]}..."


def _day(instant: str, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(zone):%d/%m/%Y}"


def _instant(instant: str, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(zone):%H:%M ngày %d/%m/%Y}"
