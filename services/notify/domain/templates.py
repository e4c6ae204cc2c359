"""Text templates of alerts: the placeholders of each template, and how values become Vietnamese text.

Texts have dotted keys ("received.sms"). Every SMS is complete without a link: it contains the dossier, what happened,
what to bring, where, the date and the hotline. So these placeholders are required, not optional.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from services.notify.domain.sms import encode, without_diacritics

PAPERS_IN_SMS = 220
"""Maximum characters of the list of papers in an SMS. Further papers are counted; form and e-mail list all."""

_ALWAYS = frozenset({"dossier", "date", "hotline"})
_WITH_PLACE = _ALWAYS | {"where", "address"}
REQUIRED: Mapping[str, frozenset[str]] = {
    "received": _WITH_PLACE | {"due"},
    "received_no_due": _WITH_PLACE,
    "refused": _WITH_PLACE | {"form"},
    "supplement_required": _WITH_PLACE | {"papers", "form"},
    "supplement_required_before_receipt": _WITH_PLACE | {"papers", "form"},
    "payment_required": _WITH_PLACE | {"amount"},
    "due_date_changed": _WITH_PLACE | {"due"},
    "due_date_delayed": _WITH_PLACE | {"due", "due_before"},
    "result_ready": _WITH_PLACE,
    "result_ready_electronic": _WITH_PLACE,
    "returned": _ALWAYS,
    "stopped": _WITH_PLACE | {"form"},
    "withdrawn": _WITH_PLACE,
}
"""Template -> the placeholders that its SMS and its e-mail must contain."""

OPTIONAL = _WITH_PLACE | {"centre"}
"""Placeholders that every template may contain besides the required ones."""

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
"""Phrases that the texts are composed of -> their placeholders."""

TEXTS = frozenset(f"{template}.{part}" for template in REQUIRED for part in ("sms", "subject", "email"))
NUMBERS = frozenset(f"{template}.{part}" for template in REQUIRED for part in ("sms_parts", "valid_hours"))
"""Numbers stored with the texts: the maximum parts of an SMS, and the hours after which an alert expires."""

COLLECTED = frozenset({"received", "received_no_due", "due_date_changed", "due_date_delayed", "result_ready"})
"""Templates whose place is where the result is collected; in all others it is where papers are brought."""

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
"""The longest values: with these, no SMS may take more parts than its text states."""

LONGEST_PLACE: Mapping[str, Any] = {"kind": "department", "counters": [37, 38, 39, 40, 41], "returning": "STP"}


def render_sms(
    texts: Mapping[str, str], template: str, values: Mapping[str, Any], place: Mapping[str, Any] | None, zone: tzinfo
) -> str:
    """Return the text of an SMS, without diacritics.

    `values` are those of the alert. `place` is where the applicant goes, as routing decided; without it the text names
    the guidance counter.
    """
    papers = _papers_for_sms(texts, _papers(texts, values))
    filled = _placeholders(texts, template, values, place, zone, papers)
    return without_diacritics(texts[f"{template}.sms"].format_map(filled))


def render_email(
    texts: Mapping[str, str], template: str, values: Mapping[str, Any], place: Mapping[str, Any] | None, zone: tzinfo
) -> tuple[str, str]:
    """Return subject and text of an e-mail, with diacritics and each paper on its own line.

    `values` are those of the alert. `place` is where the applicant goes, as routing decided; without it the text names
    the guidance counter.
    """
    papers = "\n".join(f"- {paper}" for paper in _papers(texts, values))
    filled = _placeholders(texts, template, values, place, zone, papers)
    return texts[f"{template}.subject"].format_map(filled), texts[f"{template}.email"].format_map(filled)


def oversized(texts: Mapping[str, str], numbers: Mapping[str, int], zone: tzinfo) -> list[str]:
    """Return a fault ("key: fault") for every SMS template that, filled with the longest values, is too long.

    Too long is a text that needs UCS-2, or more parts than `numbers` states as the template's `sms_parts`.
    """
    faults = []
    for template in REQUIRED:
        encoded = encode(render_sms(texts, template, LONGEST, LONGEST_PLACE, zone))
        stated = numbers[f"{template}.sms_parts"]
        if encoded.alphabet != "gsm7":
            faults.append(
                f"{template}.sms: contains a letter outside the GSM alphabet, which doubles the cost: replace it"
            )
        elif len(encoded.parts) > stated:
            faults.append(f"{template}.sms: {len(encoded.parts)} parts with long values, {stated} stated: shorten it")
    return faults


def _placeholders(
    texts: Mapping[str, str],
    template: str,
    values: Mapping[str, Any],
    place: Mapping[str, Any] | None,
    zone: tzinfo,
    papers: str,
) -> dict[str, str]:
    filled = {
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
            filled[name.removesuffix("_at")] = _instant(values[name], zone)
    if "form" in values:
        filled["form"] = values["form"]
    if "amount_vnd" in values:
        filled["amount"] = f"{values['amount_vnd']:,}".replace(",", ".")
    return filled


def _dossier(texts: Mapping[str, str], values: Mapping[str, Any], zone: tzinfo) -> str:
    if values["code"]:
        return texts["phrases.with_code"].format(code=values["code"])
    return texts["phrases.without_code"].format(submitted=_day(values["submitted_at"], zone))


def _where(texts: Mapping[str, str], template: str, place: Mapping[str, Any] | None, fees: Sequence[int] | None) -> str:
    if fees:
        return texts["phrases.at_fees"].format(counters=_counters(fees))
    if place and template in COLLECTED and place["returning"] == "results":
        return texts["phrases.at_results"]
    # Papers of a pooled department are brought to the general counter, but its results are not handed out there.
    pooled_result = place and template in COLLECTED and place["kind"] == "general"
    if not place or not place["counters"] or pooled_result:
        return texts["phrases.at_guidance"]
    key = "phrases.at_general_counter" if place["kind"] == "general" else "phrases.at_counters"
    return texts[key].format(counters=_counters(place["counters"]))


def _counters(numbers: Sequence[int]) -> str:
    """Return the numbers of up to five of the counters as text; the applicant may go to any of these."""
    return ", ".join(str(number) for number in numbers[:5])


def _papers(texts: Mapping[str, str], values: Mapping[str, Any]) -> list[str]:
    """Return the papers to bring; if `values` lists none, a phrase that refers to the form with the list."""
    return list(values.get("papers", ())) or [texts["phrases.papers_on_form"]]


def _papers_for_sms(texts: Mapping[str, str], papers: list[str]) -> str:
    listed = "; ".join(papers)
    shown = len(papers)
    while len(listed) > PAPERS_IN_SMS and shown > 1:
        shown -= 1
        more = texts["phrases.more_papers"].format(count=len(papers) - shown)
        listed = f"{'; '.join(papers[:shown])} {more}"
    return listed if len(listed) <= PAPERS_IN_SMS else f"{listed[: PAPERS_IN_SMS - 3]}..."


def _day(instant: str, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(zone):%d/%m/%Y}"


def _instant(instant: str, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(zone):%H:%M ngày %d/%m/%Y}"
