"""Explanations as sentences in both languages."""

from string import Formatter

import pytest

from services.sla.domain.clock import ClockChange, derive
from services.sla.domain.explanation import explain
from services.sla.explanations import sentences as sentences_module
from services.sla.explanations.sentences import Lang, sentences
from shared.kernel.centre import Term
from tests.unit.sla.builders import VIETNAM, at, change
from tests.unit.sla.test_extensions import extended, paused


def sentences_of(*changes: ClockChange, term: Term | None, lang: Lang = "en", known: str | None = None) -> list[str]:
    """The sentences of an explanation."""
    known_at = None if known is None else at(known)
    return list(sentences(explain(derive(changes, term, VIETNAM), VIETNAM, known_at), lang))


PAUSED_AND_EXTENDED = (
    change("received", "2017-09-01 16:00"),
    *paused("2017-09-05 10:00", "2017-09-06 10:00"),
    extended("2017-09-06 11:00", 1),
)


@pytest.mark.parametrize(
    ("term", "words"),
    [
        (Term(1, "working_day"), "1 working day of 8 h, counted by hours"),
        (Term(1, "working_day", "by_days"), "1 working day, counted by days, not counting the first"),
        (Term(1, "working_hour"), "1 working hour"),
        (Term(1, "calendar_day"), "1 calendar day, not counting the first"),
        (Term(2, "working_hour"), "2 working hours"),
    ],
)
def test_value_of_one_is_singular(term: Term, words: str) -> None:
    """Numbers and words agree in English."""
    assert f"Term: {words}." in sentences_of(change("received", "2017-09-06 08:00"), term=term)


def test_english_has_every_shift_and_day() -> None:
    """Two days from Friday 16:00: 1 h, then 3 of Tuesday until the pause; 12 h left; a further day; 24 h in total."""
    assert sentences_of(*PAUSED_AND_EXTENDED, term=Term(2, "working_day"), known="2017-10-01 00:00") == [
        "As known at Sunday 2017-10-01 00:00.",
        "Received Friday 2017-09-01 16:00.",
        "Term: 2 working days of 8 h, counted by hours.",
        "Counted from the receipt, which is in working time.",
        "First due date: Wednesday 2017-09-06 16:00.",
        "Paused from Tuesday 2017-09-05 10:00 to Wednesday 2017-09-06 10:00, with 12 h left: the due date moved from "
        "Wednesday 2017-09-06 16:00 to Thursday 2017-09-07 16:00.",
        "Extended by 1 working day on Wednesday 2017-09-06 11:00: the due date moved from Thursday 2017-09-07 16:00 "
        "to Friday 2017-09-08 16:00.",
        "Friday 2017-09-01: 1 h counted (16:00–17:00).",
        "Saturday 2017-09-02: off: Quốc khánh (by Labour Code 2012, art. 115).",
        "Sunday 2017-09-03: not a working day of the week.",
        "Monday 2017-09-04: off: Nghỉ bù Quốc khánh (by Labour Code 2012, art. 115 (next working day)).",
        "Tuesday 2017-09-05: 3 h counted (07:00–10:00); 5 h paused.",
        "Wednesday 2017-09-06: 5 h counted (10:00–11:30, 13:30–17:00); 3 h paused.",
        "Thursday 2017-09-07: 8 h counted (07:00–11:30, 13:30–17:00).",
        "Friday 2017-09-08: 7 h counted (07:00–11:30, 13:30–16:00).",
        "24 h of 24 h counted.",
        "Due Friday 2017-09-08 16:00.",
    ]


def test_vietnamese_numbers_calendar_days() -> None:
    """Calendar days have their numbers, and an end on the weekend moves on."""
    assert sentences_of(change("received", "2017-11-08 17:00"), term=Term(2, "calendar_day"), lang="vi") == [
        "Tiếp nhận lúc 17:00 thứ Tư 08/11/2017.",
        "Thời hạn: 2 ngày, không tính ngày bắt đầu.",
        "Tính từ 07:00 thứ Năm 09/11/2017: tiếp nhận ngoài giờ làm việc, nên tính từ đầu giờ làm việc kế tiếp.",
        "Thứ Tư 08/11/2017: không tính.",
        "Thứ Năm 09/11/2017: không tính.",
        "Thứ Sáu 10/11/2017: ngày thứ 1.",
        "Thứ Bảy 11/11/2017: nghỉ cuối tuần; ngày thứ 2; chuyển sang ngày làm việc kế tiếp.",
        "Chủ nhật 12/11/2017: nghỉ cuối tuần; chuyển sang ngày làm việc kế tiếp.",
        "Thứ Hai 13/11/2017: ngày hẹn trả.",
        "Ngày thứ 2 là thứ Bảy 11/11/2017.",
        "Hẹn trả 17:00 thứ Hai 13/11/2017.",
    ]


def test_paused_clock_has_its_remaining_time() -> None:
    """Remaining hours, or calendar days and the working days added to them."""
    pause = (change("received", "2017-11-06 07:00"), *paused("2017-11-08 09:00"))
    assert sentences_of(*pause, term=Term(3, "working_day"))[-2:] == [
        "18 h of 24 h counted.",
        "Paused: there is no due date, and 6 h remain.",
    ]
    more = sentences_of(*pause, extended("2017-11-09 09:00", 2), term=Term(5, "calendar_day"))
    assert more[-1] == "Paused: there is no due date, and 3 calendar days and 2 working days of extensions remain."


@pytest.mark.parametrize(
    ("received", "term", "sentence"),
    [
        (
            "2027-02-03 10:00",
            Term(1, "working_day"),
            "The due date is provisional: it crosses a day off that is only projected.",
        ),
        (
            "2026-11-24 08:00",
            Term(1, "working_hour"),
            "Tuesday 2026-11-24: 1 h counted (08:00–09:00); may become a day off, not confirmed: "
            "Ngày Văn hóa Việt Nam "
            "(by task in 80-NQ/TW and 30/NQ-CP to amend art. 112, known from Thursday 2026-02-26).",
        ),
        (
            "2026-01-10 08:00",
            Term(1, "working_hour"),
            "Saturday 2026-01-10: worked: Làm bù (by 12729/VPCP-KGVX, known from Thursday 2025-12-25); "
            "1 h counted (08:00–09:00).",
        ),
        ("2017-11-06 08:00", None, "The law sets no term: there is no due date."),
    ],
)
def test_exception_has_its_decision_and_status(received: str, term: Term | None, sentence: str) -> None:
    """A sentence names the document, since when it is known, and what is uncertain."""
    assert sentence in sentences_of(change("received", received), term=term)


def test_languages_have_the_same_sentences() -> None:
    """Each text exists in both languages with the same values."""

    def values(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for word, texts in sentences_module._TEXTS.items():
        assert values(texts["vi"]) == values(texts["en"]), word
    term = Term(2, "working_day")
    assert len(sentences_of(*PAUSED_AND_EXTENDED, term=term, lang="vi")) == len(
        sentences_of(*PAUSED_AND_EXTENDED, term=term)
    )
