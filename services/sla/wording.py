"""Explanations in sentences, Vietnamese and English: the same changes in the same order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from services.sla.domain.explanation import Day, Explained, Explanation
from services.sla.domain.running import Extension
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term

Lang = Literal["vi", "en"]

_WEEKDAYS: Mapping[Lang, tuple[str, ...]] = {
    "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}

_WORDS: Mapping[str, Mapping[Lang, str]] = {
    "received": {"vi": "Tiếp nhận lúc {at}.", "en": "Received {at}."},
    "known": {"vi": "Theo những gì đã biết lúc {at}.", "en": "As it was known {at}."},
    "no_term": {
        "vi": "Pháp luật không quy định thời hạn: không có ngày hẹn trả.",
        "en": "The law gives no term: there is no due date.",
    },
    "waiting_procedure": {
        "vi": "Thủ tục chưa có trong danh mục: chưa tính được ngày hẹn trả.",
        "en": "The procedure is not in the catalogue: no due date can be counted yet.",
    },
    "waiting_calendar": {
        "vi": "Lịch làm việc kết thúc quá sớm: chưa tính được ngày hẹn trả.",
        "en": "The calendar ends too early: no due date can be counted yet.",
    },
    "term": {"vi": "Thời hạn: {term}.", "en": "The term: {term}."},
    "working_day": {
        "vi": "{value} ngày làm việc, mỗi ngày {day}, tính theo giờ",
        "en": "{value} working days of {day}, counted by hours",
    },
    "by_days": {
        "vi": "{value} ngày làm việc, tính theo ngày, không tính ngày bắt đầu",
        "en": "{value} working days, counted by days, the first one not",
    },
    "working_hour": {"vi": "{value} giờ làm việc", "en": "{value} working hours"},
    "calendar_day": {
        "vi": "{value} ngày, không tính ngày bắt đầu",
        "en": "{value} calendar days, the first one not counted",
    },
    "same_day": {"vi": "trong ngày", "en": "the same day"},
    "in_working_time": {
        "vi": "Tính từ lúc tiếp nhận, trong giờ làm việc.",
        "en": "Counted from the receipt, which lies in working time.",
    },
    "outside_working_time": {
        "vi": "Tính từ {at}: tiếp nhận ngoài giờ làm việc, nên tính từ đầu giờ làm việc kế tiếp.",
        "en": "Counted from {at}: received outside working time, so the next window's start counts.",
    },
    "after_cut_off": {
        "vi": "Tính từ {at}: tiếp nhận sau {cut_off}, nên tính từ ngày làm việc kế tiếp.",
        "en": "Counted from {at}: received after {cut_off}, so the next working day's start counts.",
    },
    "first": {
        "vi": "Ngày hẹn trả ban đầu: {at}.",
        "en": "The due date at first: {at}.",
    },
    "paused": {
        "vi": "Tạm dừng từ {start} đến {end}, khi còn {left}: ngày hẹn trả chuyển từ {before} sang {after}.",
        "en": "Paused from {start} to {end}, with {left} left: the due date went from {before} to {after}.",
    },
    "stands": {
        "vi": "Tạm dừng từ {start}, khi còn {left}; lúc đó hẹn trả {before}.",
        "en": "Paused since {start}, with {left} left; it was due {before} then.",
    },
    "extended": {
        "vi": "Gia hạn {by} lúc {at}: ngày hẹn trả chuyển từ {before} sang {after}.",
        "en": "Extended {by} on {at}: the due date went from {before} to {after}.",
    },
    "extended_in_pause": {
        "vi": "Gia hạn {by} lúc {at}, khi đang tạm dừng: còn lại {left}.",
        "en": "Extended {by} on {at}, in the pause: {left} left.",
    },
    "by_working_days": {"vi": "thêm {value} ngày làm việc", "en": "by {value} working days"},
    "to_date": {"vi": "đến ngày {value}", "en": "to {value}"},
    "day_counted": {"vi": "tính {hours} ({spans})", "en": "{hours} counted ({spans})"},
    "day_number": {"vi": "ngày thứ {number}", "en": "day {number}"},
    "day_stood": {"vi": "tạm dừng {hours}", "en": "{hours} paused"},
    "day_uncounted": {"vi": "không tính", "en": "not counted"},
    "day_paused": {"vi": "tạm dừng, không tính", "en": "paused, not counted"},
    "day_due": {"vi": "ngày hẹn trả", "en": "the due date"},
    "day_moved": {"vi": "chuyển sang ngày làm việc kế tiếp", "en": "the end moves on to the next working day"},
    "day_off": {"vi": "nghỉ cuối tuần", "en": "not a working day of the week"},
    "exception_off": {"vi": "nghỉ: {name}", "en": "off: {name}"},
    "exception_working": {"vi": "làm bù: {name}", "en": "worked: {name}"},
    "exception_half_day": {"vi": "làm nửa ngày: {name}", "en": "half a day: {name}"},
    "unconfirmed": {
        "vi": "có thể sẽ nghỉ, chưa được xác nhận: {name}",
        "en": "may become off, which is not confirmed: {name}",
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
        "en": "Paused from the due date on: that stays.",
    },
    "provisional": {
        "vi": "Ngày hẹn trả là tạm tính: có ngày nghỉ mới chỉ dự kiến.",
        "en": "The due date is provisional: it crosses a day off that is only projected.",
    },
    "ended": {"vi": "Kết thúc lúc {at}.", "en": "Ended {at}."},
}

# where the value is 1; Vietnamese knows no plural
_ONE: Mapping[str, str] = {
    "working_day": "1 working day of {day}, counted by hours",
    "by_days": "1 working day, counted by days, the first one not",
    "working_hour": "1 working hour",
    "calendar_day": "1 calendar day, the first one not counted",
    "by_working_days": "by 1 working day",
    "days": "1 calendar day",
    "added": " and 1 working day of extensions",
}


@dataclass(frozen=True, slots=True)
class _Voice:
    lang: Lang
    zone: ZoneInfo

    def say(self, word: str, **values: object) -> str:
        alone = _ONE.get(word) if self.lang == "en" and values.get("value") == 1 else None
        return (alone or _WORDS[word][self.lang]).format(**values)

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
        told = [f"{value} {vi if self.lang == 'vi' else en}" for value, vi, en in parts if value]
        return " ".join(told) or ("0 giờ" if self.lang == "vi" else "0 h")


def sentences(explanation: Explanation, lang: Lang) -> Iterator[str]:
    """The explanation for people, in the calendar's zone: one sentence a change, one a day."""
    deadline, voice = explanation.deadline, _Voice(lang, explanation.calendar.worktime.zone)
    if explanation.as_known_at is not None:
        yield voice.say("known", at=voice.at(explanation.as_known_at))
    yield voice.say("received", at=voice.at(deadline.received_at))
    if deadline.waiting_for is not None:
        yield voice.say(f"waiting_{deadline.waiting_for}")
        return
    if deadline.term is None or explanation.reason is None:
        yield voice.say("no_term")
        return
    yield voice.say("term", term=_term(deadline.term, explanation.calendar.standard_day, voice))
    cut_off = "" if deadline.term.cut_off is None else f"{deadline.term.cut_off:%H:%M}"
    yield voice.say(explanation.reason, at=voice.at(deadline.counted_from), cut_off=cut_off)
    if explanation.shifts:
        yield voice.say("first", at=voice.at(deadline.first_due_at))
    for each in explanation.shifts:
        yield _shift(each, voice)
    told = _calendar_day if explanation.given_days is not None else _working_day
    for day in explanation.days:
        sentence = "; ".join([*_cause(day, voice), *told(day, explanation, voice), *_rumour(day, voice)])
        yield f"{_capital(voice.day(day.on))}: {sentence}."
    yield from _end(explanation, voice)


def _end(explanation: Explanation, voice: _Voice) -> Iterator[str]:
    deadline = explanation.deadline
    if explanation.given is not None:
        yield voice.say("sum", counted=voice.hours(explanation.counted), given=voice.hours(explanation.given))
    elif deadline.due_at is not None and deadline.last_day is not None:
        yield voice.say("sum_days", given=explanation.given_days, last=voice.day(deadline.last_day))
    if deadline.due_at is not None:
        yield voice.say("due", at=voice.at(deadline.due_at))
        if deadline.state == "paused":
            yield voice.say("overdue")
    elif deadline.remaining_days is not None:
        left = voice.say("days", value=deadline.remaining_days)
        added = voice.say("added", value=deadline.added_days) if deadline.added_days else ""
        yield voice.say("remains", left=left + added)
    elif deadline.remaining is not None:
        yield voice.say("remains", left=voice.hours(deadline.remaining))
    if deadline.provisional:
        yield voice.say("provisional")
    if deadline.ended_at is not None:
        yield voice.say("ended", at=voice.at(deadline.ended_at))


def _term(term: Term, standard_day: timedelta, voice: _Voice) -> str:
    word = "by_days" if term.counting == "by_days" else term.unit
    return voice.say(word, value=term.value, day=voice.hours(standard_day))


def _shift(each: Explained, voice: _Voice) -> str:
    by, before, after = each.shift.by, voice.at(each.shift.before), voice.at(each.shift.after)
    left = voice.hours(each.shift.left or timedelta(0))
    if not isinstance(by, Extension):
        word = "stands" if by.end is None else "paused"
        return voice.say(word, start=voice.at(by.start), end=voice.at(by.end), left=left, before=before, after=after)
    if by.to_date is None:
        how = voice.say("by_working_days", value=by.working_days)
    else:
        how = voice.say("to_date", value=voice.day(by.to_date))
    word = "extended" if each.shift.after is not None else "extended_in_pause"
    return voice.say(word, by=how, at=voice.at(by.at), before=before, after=after, left=left)


def _cause(day: Day, voice: _Voice) -> Iterator[str]:
    if day.ruled_by is not None:
        yield _exception(day.ruled_by, f"exception_{day.ruled_by.kind}", voice)
    elif not day.worked:
        yield voice.say("day_off")


def _rumour(day: Day, voice: _Voice) -> Iterator[str]:
    if day.unconfirmed is not None:
        yield _exception(day.unconfirmed, "unconfirmed", voice)


def _working_day(day: Day, _: Explanation, voice: _Voice) -> Iterator[str]:
    """By its hours, and its number where days are counted."""
    if day.number is not None:
        yield voice.say("day_number", number=day.number)
    if day.counted:
        spans = ", ".join(f"{voice.clock(start)}–{voice.clock(end)}" for start, end in day.counted)
        yield voice.say("day_counted", hours=voice.hours(day.length), spans=spans)
    if day.stood:
        yield voice.say("day_stood", hours=voice.hours(day.stood))
    if day.worked and not day.counted and not day.stood:
        yield voice.say("day_uncounted")


def _calendar_day(day: Day, explanation: Explanation, voice: _Voice) -> Iterator[str]:
    """By its number alone: working time does not matter until the end has to be a working day."""
    deadline, local_date = explanation.deadline, explanation.calendar.worktime.local_date
    if day.number is not None:
        yield voice.say("day_number", number=day.number)
    elif deadline.counted_from is None or day.on <= local_date(deadline.counted_from):
        yield voice.say("day_uncounted")
    elif deadline.last_day is not None and day.on < deadline.last_day:
        yield voice.say("day_paused")
    elif day.on == deadline.due_date:
        yield voice.say("day_due")
    last_day = deadline.last_day
    if last_day is not None and day.on >= last_day and not day.worked and deadline.due_at is not None:
        yield voice.say("day_moved")


def _exception(exception: CalendarException, word: str, voice: _Voice) -> str:
    why = []
    if exception.decided_by is not None:
        why.append(voice.say("decided", document=exception.decided_by))
    if exception.status == "projected":
        why.append(voice.say("projected"))
    if exception.known_from is not None:
        why.append(voice.say("known_from", date=voice.day(exception.known_from.astimezone(voice.zone).date())))
    told = voice.say(word, name=exception.name or exception.kind)
    return f"{told} ({', '.join(why)})" if why else told


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
