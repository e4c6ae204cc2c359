"""Explanations as sentences in Vietnamese and English, in the same order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from services.sla.domain.explanation import Day, ExplainedShift, Explanation
from services.sla.domain.term_run import Extension
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term

Lang = Literal["vi", "en"]

_WEEKDAYS: Mapping[Lang, tuple[str, ...]] = {
    "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}

_TEXTS: Mapping[str, Mapping[Lang, str]] = {
    "received": {"vi": "Tiếp nhận lúc {at}.", "en": "Received {at}."},
    "known": {"vi": "Theo những gì đã biết lúc {at}.", "en": "As known at {at}."},
    "no_term": {
        "vi": "Pháp luật không quy định thời hạn: không có ngày hẹn trả.",
        "en": "The law sets no term: there is no due date.",
    },
    "waiting_procedure": {
        "vi": "Thủ tục chưa có trong danh mục: chưa tính được ngày hẹn trả.",
        "en": "The procedure is not in the catalogue: the due date cannot be derived yet.",
    },
    "waiting_calendar": {
        "vi": "Lịch làm việc kết thúc quá sớm: chưa tính được ngày hẹn trả.",
        "en": "The calendar ends too early: the due date cannot be derived yet.",
    },
    "term": {"vi": "Thời hạn: {term}.", "en": "Term: {term}."},
    "working_day": {
        "vi": "{value} ngày làm việc, mỗi ngày {day}, tính theo giờ",
        "en": "{value} working days of {day}, counted by hours",
    },
    "by_days": {
        "vi": "{value} ngày làm việc, tính theo ngày, không tính ngày bắt đầu",
        "en": "{value} working days, counted by days, not counting the first",
    },
    "working_hour": {"vi": "{value} giờ làm việc", "en": "{value} working hours"},
    "calendar_day": {
        "vi": "{value} ngày, không tính ngày bắt đầu",
        "en": "{value} calendar days, not counting the first",
    },
    "same_day": {"vi": "trong ngày", "en": "the same day"},
    "in_working_time": {
        "vi": "Tính từ lúc tiếp nhận, trong giờ làm việc.",
        "en": "Counted from the receipt, which is in working time.",
    },
    "outside_working_time": {
        "vi": "Tính từ {at}: tiếp nhận ngoài giờ làm việc, nên tính từ đầu giờ làm việc kế tiếp.",
        "en": "Counted from {at}: received outside working time, so counted from the start of the next working time.",
    },
    "after_cut_off": {
        "vi": "Tính từ {at}: tiếp nhận sau {cut_off}, nên tính từ ngày làm việc kế tiếp.",
        "en": "Counted from {at}: received after {cut_off}, so counted from the start of the next working day.",
    },
    "first": {
        "vi": "Ngày hẹn trả ban đầu: {at}.",
        "en": "First due date: {at}.",
    },
    "paused": {
        "vi": "Tạm dừng từ {start} đến {end}, khi còn {left}: ngày hẹn trả chuyển từ {before} sang {after}.",
        "en": "Paused from {start} to {end}, with {left} left: the due date moved from {before} to {after}.",
    },
    "after_last_day": {
        "vi": " Tạm dừng sau ngày cuối của thời hạn, nên số ngày tạm dừng được cộng vào {day}.",
        "en": " The pause began after the last day, so the paused days are added to {day}.",
    },
    "paused_now": {
        "vi": "Tạm dừng từ {start}, khi còn {left}; lúc đó hẹn trả {before}.",
        "en": "Paused since {start}, with {left} left; the due date was then {before}.",
    },
    "extended": {
        "vi": "Gia hạn {by} lúc {at}: ngày hẹn trả chuyển từ {before} sang {after}.",
        "en": "Extended {by} on {at}: the due date moved from {before} to {after}.",
    },
    "extended_in_pause": {
        "vi": "Gia hạn {by} lúc {at}, khi đang tạm dừng: còn lại {left}.",
        "en": "Extended {by} on {at}, during the pause: {left} left.",
    },
    "by_working_days": {"vi": "thêm {value} ngày làm việc", "en": "by {value} working days"},
    "to_date": {"vi": "đến ngày {value}", "en": "to {value}"},
    "day_counted": {"vi": "tính {hours} ({spans})", "en": "{hours} counted ({spans})"},
    "day_number": {"vi": "ngày thứ {number}", "en": "day {number}"},
    "day_paused_part": {"vi": "tạm dừng {hours}", "en": "{hours} paused"},
    "day_uncounted": {"vi": "không tính", "en": "not counted"},
    "day_paused": {"vi": "tạm dừng, không tính", "en": "paused, not counted"},
    "day_due": {"vi": "ngày hẹn trả", "en": "the due date"},
    "day_moved": {"vi": "chuyển sang ngày làm việc kế tiếp", "en": "the end moves to the next working day"},
    "day_off": {"vi": "nghỉ cuối tuần", "en": "not a working day of the week"},
    "exception_off": {"vi": "nghỉ: {name}", "en": "off: {name}"},
    "exception_working": {"vi": "làm bù: {name}", "en": "worked: {name}"},
    "exception_half_day": {"vi": "làm nửa ngày: {name}", "en": "half a day: {name}"},
    "unconfirmed": {
        "vi": "có thể sẽ nghỉ, chưa được xác nhận: {name}",
        "en": "may become a day off, not confirmed: {name}",
    },
    "decided": {"vi": "theo {document}", "en": "by {document}"},
    "projected": {"vi": "dự kiến, chưa có quyết định", "en": "projected, not decided yet"},
    "known_from": {"vi": "biết từ {date}", "en": "known from {date}"},
    "sum": {"vi": "Tổng cộng {counted} trên {given}.", "en": "{counted} of {given} counted."},
    "sum_days": {"vi": "Ngày thứ {given} là {last}.", "en": "Day {given} is {last}."},
    "due": {"vi": "Hẹn trả {at}.", "en": "Due {at}."},
    "remains": {
        "vi": "Đang tạm dừng: chưa có ngày hẹn trả, còn lại {left}.",
        "en": "Paused: there is no due date, and {left} remain.",
    },
    "days": {"vi": "{value} ngày", "en": "{value} calendar days"},
    "added": {"vi": " và {value} ngày làm việc được gia hạn", "en": " and {value} working days of extensions"},
    "overdue": {
        "vi": "Tạm dừng từ ngày hẹn trả trở đi: ngày hẹn trả giữ nguyên.",
        "en": "Paused at or after the due date, which does not change.",
    },
    "provisional": {
        "vi": "Ngày hẹn trả là tạm tính: có ngày nghỉ mới chỉ dự kiến.",
        "en": "The due date is provisional: it crosses a day off that is only projected.",
    },
    "ended": {"vi": "Kết thúc lúc {at}.", "en": "Ended {at}."},
}

# English texts for the value 1; Vietnamese has no plural
_SINGULAR: Mapping[str, str] = {
    "working_day": "1 working day of {day}, counted by hours",
    "by_days": "1 working day, counted by days, not counting the first",
    "working_hour": "1 working hour",
    "calendar_day": "1 calendar day, not counting the first",
    "by_working_days": "by 1 working day",
    "days": "1 calendar day",
    "added": " and 1 working day of extensions",
}


@dataclass(frozen=True, slots=True)
class _Language:
    """Formats texts, instants and durations in one language and time zone."""

    lang: Lang
    zone: ZoneInfo

    def sentence(self, word: str, **values: object) -> str:
        singular = _SINGULAR.get(word) if self.lang == "en" and values.get("value") == 1 else None
        return (singular or _TEXTS[word][self.lang]).format(**values)

    def at(self, instant: datetime | None) -> str:
        if instant is None:
            return "—"
        clock, day = self.clock(instant), self.day(instant.astimezone(self.zone).date())
        return f"{clock} {day}" if self.lang == "vi" else f"{day} {clock}"

    def clock(self, instant: datetime) -> str:
        local = instant.astimezone(self.zone)
        return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"

    def day(self, day: date) -> str:
        weekday = _WEEKDAYS[self.lang][day.weekday()]
        return f"{weekday} {day:%d/%m/%Y}" if self.lang == "vi" else f"{weekday} {day:%Y-%m-%d}"

    def hours(self, duration: timedelta) -> str:
        minutes, seconds = divmod(duration // timedelta(seconds=1), 60)
        parts = [(minutes // 60, "giờ", "h"), (minutes % 60, "phút", "min"), (seconds, "giây", "s")]
        shown = [f"{value} {vi if self.lang == 'vi' else en}" for value, vi, en in parts if value]
        return " ".join(shown) or ("0 giờ" if self.lang == "vi" else "0 h")


def sentences(explanation: Explanation, lang: Lang) -> Iterator[str]:
    """Yield the explanation as sentences in one language, with instants in the calendar's zone.

    There is one sentence per pause, extension and day; others state the receipt, the term, its start and the due date.
    """
    deadline, texts = explanation.deadline, _Language(lang, explanation.calendar.worktime.zone)
    if explanation.as_known_at is not None:
        yield texts.sentence("known", at=texts.at(explanation.as_known_at))
    yield texts.sentence("received", at=texts.at(deadline.received_at))
    if deadline.waiting_for is not None:
        yield texts.sentence(f"waiting_{deadline.waiting_for}")
        return
    if deadline.term is None or explanation.reason is None:
        yield texts.sentence("no_term")
        return
    yield texts.sentence("term", term=_term(deadline.term, explanation.calendar.standard_day, texts))
    cut_off = "" if deadline.term.cut_off is None else f"{deadline.term.cut_off:%H:%M}"
    yield texts.sentence(explanation.reason, at=texts.at(deadline.counted_from), cut_off=cut_off)
    if explanation.shifts:
        yield texts.sentence("first", at=texts.at(deadline.first_due_at))
    for each in explanation.shifts:
        yield _shift(each, texts)
    details = _calendar_day if explanation.given_days is not None else _working_day
    for day in explanation.days:
        sentence = "; ".join([*_ruling(day, texts), *details(day, explanation, texts), *_unconfirmed(day, texts)])
        yield f"{_capital(texts.day(day.on))}: {sentence}."
    yield from _end(explanation, texts)


def _end(explanation: Explanation, texts: _Language) -> Iterator[str]:
    deadline = explanation.deadline
    if explanation.given is not None:
        yield texts.sentence("sum", counted=texts.hours(explanation.counted), given=texts.hours(explanation.given))
    elif deadline.due_at is not None and deadline.last_day is not None:
        yield texts.sentence("sum_days", given=explanation.given_days, last=texts.day(deadline.last_day))
    if deadline.due_at is not None:
        yield texts.sentence("due", at=texts.at(deadline.due_at))
        if deadline.state == "paused":
            yield texts.sentence("overdue")
    elif deadline.remaining_days is not None:
        left = texts.sentence("days", value=deadline.remaining_days)
        added = texts.sentence("added", value=deadline.added_days) if deadline.added_days else ""
        yield texts.sentence("remains", left=left + added)
    elif deadline.remaining is not None:
        yield texts.sentence("remains", left=texts.hours(deadline.remaining))
    if deadline.provisional:
        yield texts.sentence("provisional")
    if deadline.ended_at is not None:
        yield texts.sentence("ended", at=texts.at(deadline.ended_at))


def _term(term: Term, standard_day: timedelta, texts: _Language) -> str:
    word = "by_days" if term.counting == "by_days" else term.unit
    return texts.sentence(word, value=term.value, day=texts.hours(standard_day))


def _shift(each: ExplainedShift, texts: _Language) -> str:
    by, before, after = each.shift.by, texts.at(each.shift.before), texts.at(each.shift.after)
    left = texts.hours(each.shift.left or timedelta(0))
    if not isinstance(by, Extension):
        word = "paused_now" if by.end is None else "paused"
        sentence = texts.sentence(
            word, start=texts.at(by.start), end=texts.at(by.end), left=left, before=before, after=after
        )
        if each.shift.after_last_day and each.shift.before is not None:
            moved_to = each.shift.before.astimezone(texts.zone).date()
            sentence += texts.sentence("after_last_day", day=texts.day(moved_to))
        return sentence
    if by.to_date is None:
        how = texts.sentence("by_working_days", value=by.working_days)
    else:
        how = texts.sentence("to_date", value=texts.day(by.to_date))
    word = "extended" if each.shift.after is not None else "extended_in_pause"
    return texts.sentence(word, by=how, at=texts.at(by.at), before=before, after=after, left=left)


def _ruling(day: Day, texts: _Language) -> Iterator[str]:
    if day.ruled_by is not None:
        yield _exception(day.ruled_by, f"exception_{day.ruled_by.kind}", texts)
    elif not day.worked:
        yield texts.sentence("day_off")


def _unconfirmed(day: Day, texts: _Language) -> Iterator[str]:
    if day.unconfirmed is not None:
        yield _exception(day.unconfirmed, "unconfirmed", texts)


def _working_day(day: Day, _: Explanation, texts: _Language) -> Iterator[str]:
    """Yield the parts of a day's sentence for a term in working time: its number if days are counted, and its hours."""
    if day.number is not None:
        yield texts.sentence("day_number", number=day.number)
    if day.counted:
        spans = ", ".join(f"{texts.clock(start)}–{texts.clock(end)}" for start, end in day.counted)
        yield texts.sentence("day_counted", hours=texts.hours(day.length), spans=spans)
    if day.paused:
        yield texts.sentence("day_paused_part", hours=texts.hours(day.paused))
    if day.worked and not day.counted and not day.paused:
        yield texts.sentence("day_uncounted")


def _calendar_day(day: Day, explanation: Explanation, texts: _Language) -> Iterator[str]:
    """Yield the parts of a day's sentence for a term in calendar days: its number, or why it does not count.

    For such a term, only the due date must be a working day.
    """
    deadline, local_date = explanation.deadline, explanation.calendar.worktime.local_date
    if day.number is not None:
        yield texts.sentence("day_number", number=day.number)
    elif deadline.counted_from is None or day.on <= local_date(deadline.counted_from):
        yield texts.sentence("day_uncounted")
    elif deadline.last_day is not None and day.on < deadline.last_day:
        yield texts.sentence("day_paused")
    elif day.on == deadline.due_date:
        yield texts.sentence("day_due")
    last_day = deadline.last_day
    if last_day is not None and day.on >= last_day and not day.worked and deadline.due_at is not None:
        yield texts.sentence("day_moved")


def _exception(exception: CalendarException, word: str, texts: _Language) -> str:
    why = []
    if exception.decided_by is not None:
        why.append(texts.sentence("decided", document=exception.decided_by))
    if exception.status == "projected":
        why.append(texts.sentence("projected"))
    if exception.known_from is not None:
        why.append(texts.sentence("known_from", date=texts.day(exception.known_from.astimezone(texts.zone).date())))
    text = texts.sentence(word, name=exception.name or exception.kind)
    return f"{text} ({', '.join(why)})" if why else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
