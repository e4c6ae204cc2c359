"""The texts of the default centre, and the faults of an invalid file at start."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.notify.domain.sms import encode
from services.notify.domain.templates import LONGEST, LONGEST_PLACE, PAPERS_IN_SMS, REQUIRED
from services.notify.texts import Texts, load_texts
from shared.catalogue import load_centre
from shared.kernel.errors import StartError

CENTRE = Path(__file__).parents[3] / "config" / "binh-phuoc"
VALUES = {
    "at": "2017-11-20T01:05:00+00:00",
    "submitted_at": "2017-11-19T23:30:00+00:00",  # the 20th in the centre
    "code": "H10.02-171120-0001",
    "due_at": "2017-11-27T09:30:00+00:00",
    "due_before": "2017-11-24T09:30:00+00:00",
    "form": "H10.02-171120-F02-0001",
    "papers": ["Bản sao giấy khai sinh", "Sổ hộ khẩu"],
    "amount_vnd": 1_200_000,
}
PLACE = {"kind": "department", "counters": [2, 3], "returning": "STP"}


def load(*versions: str) -> Texts:
    files = {f"messages/{number:04}.toml": text.encode() for number, text in enumerate(versions, 1)}
    return load_texts(replace(load_centre(CENTRE), files=files))


@pytest.fixture(scope="module")
def texts() -> Texts:
    return load_texts(load_centre(CENTRE))


@pytest.mark.parametrize("template", REQUIRED)
def test_sms_with_long_values_fits_its_stated_parts(texts: Texts, template: str) -> None:
    """Every SMS is GSM-7 and has at most as many parts as the file states."""
    encoded = encode(texts.sms(1, template, LONGEST, LONGEST_PLACE))
    assert encoded.alphabet == "gsm7"
    assert len(encoded.parts) <= texts.book.version(1).numbers[f"{template}.sms_parts"]


@pytest.mark.parametrize("template", REQUIRED)
def test_alert_of_act_dated_back_over_a_weekend_is_still_valid(texts: Texts, template: str) -> None:
    """An act recorded on Monday at opening, dated one working day back to Thursday at closing, still has its alert."""
    thursday, monday = datetime(2017, 11, 16, 10, 0, tzinfo=UTC), datetime(2017, 11, 20, 0, 0, tzinfo=UTC)
    assert texts.valid_for(texts.version_on(thursday), template) > monday - thursday


@pytest.mark.parametrize("template", REQUIRED)
def test_sms_is_complete_without_a_link(texts: Texts, template: str) -> None:
    """Every SMS contains code, date, place and hotline, and no address to open."""
    sms = texts.sms(1, template, VALUES, PLACE)
    assert "H10.02-171120-0001" in sms
    assert "20/11/2017" in sms
    assert "0271 000 0000" in sms
    assert not re.search(r"http|www|\.vn", sms)
    if "where" in REQUIRED[template]:
        assert "quay so 2, 3, Thi xa Dong Xoai" in sms


@pytest.mark.parametrize("template", REQUIRED)
def test_email_has_diacritics(texts: Texts, template: str) -> None:
    """The subject names the dossier, and the text is Vietnamese as written."""
    subject, text = texts.email(1, template, VALUES, PLACE)
    assert "Hồ sơ H10.02-171120-0001" in subject
    assert "\n" not in subject
    assert "Kính gửi ông/bà" in text
    assert "{" not in text


def test_supplement_request_lists_papers(texts: Texts) -> None:
    """The SMS lists the papers in one line, the e-mail one per line."""
    assert "Ban sao giay khai sinh; So ho khau" in texts.sms(1, "supplement_required", VALUES, PLACE)
    assert "- Bản sao giấy khai sinh\n- Sổ hộ khẩu" in texts.email(1, "supplement_required", VALUES, PLACE)[1]


def test_supplement_request_without_papers_refers_to_the_form(texts: Texts) -> None:
    """An alert never asks for an empty list of papers."""
    sms = texts.sms(1, "supplement_required", VALUES | {"papers": []}, PLACE)
    assert "(phieu so H10.02-171120-F02-0001 ngay 20/11/2017): cac giay to ghi o phieu." in sms


def test_long_list_of_papers_is_counted_in_sms_and_complete_in_email(texts: Texts) -> None:
    """The SMS names as many papers as fit and the number of the others; the e-mail lists all."""
    papers = [f"Giấy tờ thứ {n} có tên khá dài để không vừa một tin nhắn" for n in range(1, 13)]
    sms = texts.sms(1, "supplement_required", VALUES | {"papers": papers}, PLACE)
    named = sms.count("Giay to thu")
    assert f"va {12 - named} giay to khac" in sms
    assert len(sms) < PAPERS_IN_SMS + 280
    assert texts.email(1, "supplement_required", VALUES | {"papers": papers}, PLACE)[1].count("Giấy tờ thứ") == 12


def test_dossier_without_code_is_named_by_its_submission_date(texts: Texts) -> None:
    """Before the receipt there is no code; the date is local, not UTC."""
    assert "Ho so nop ngay 20/11/2017" in texts.sms(1, "refused", VALUES | {"code": None}, PLACE)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"kind": "general", "counters": [41], "returning": "STC"}, "Quay Tong hop (so 41)"),
        ({"kind": "department", "counters": [2, 3], "returning": "STP"}, "quay so 2, 3"),
        ({"kind": "department", "counters": [], "returning": "STP"}, "quay Huong dan"),
        (None, "quay Huong dan"),
    ],
)
def test_papers_are_brought_to_the_receiving_place(texts: Texts, place: dict[str, object] | None, words: str) -> None:
    """Without a receiving place the text names the guidance counter, never an empty place."""
    assert words in texts.sms(1, "supplement_required", VALUES, place)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"kind": "department", "counters": [2], "returning": "results"}, "quay Tra ket qua"),
        ({"kind": "department", "counters": [2, 3], "returning": "STP"}, "quay so 2, 3"),
        ({"kind": "general", "counters": [41], "returning": "STC"}, "quay Huong dan"),
    ],
)
def test_result_is_collected_at_the_returning_place(texts: Texts, place: dict[str, object], words: str) -> None:
    """Pooling does not change the returning place: the general counter only receives."""
    assert words in texts.sms(1, "result_ready", VALUES, place)


def test_due_date_is_local_time(texts: Texts) -> None:
    """09:30 UTC is 16:30 in Bình Phước."""
    assert "16:30 ngay 27/11/2017" in texts.sms(1, "received", VALUES, PLACE)


def test_fees_are_paid_at_the_fees_counter(texts: Texts) -> None:
    """Without a fees counter, fees are paid where papers are brought."""
    assert "quay Thu phi, le phi (so 43)" in texts.sms(1, "payment_required", VALUES | {"fees": [43]}, PLACE)
    assert "quay so 2, 3" in texts.sms(1, "payment_required", VALUES | {"fees": []}, PLACE)
    assert texts.fees_counters(datetime(2017, 11, 20, tzinfo=UTC)) == [43]


def test_amount_is_written_with_dots(texts: Texts) -> None:
    """Thousands are separated by dots, as in Vietnam."""
    assert "1.200.000 dong" in texts.sms(1, "payment_required", VALUES, PLACE)


def source() -> str:
    return (CENTRE / "messages" / "0001.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("{due}. Khi", "{deu}. Khi"), r"0001.toml: received.sms: Unknown placeholder \{deu\}"),
        (("{due}. Khi", "{due:>20}. Khi"), r"received.sms: Write \{due\} without a format"),
        (("{due}. Khi", "{due. Khi"), r"received.sms: The braces do not match"),
        (
            ("Nếu ông/bà chưa nhận, xin báo ngay: {hotline}", "Hết."),
            r"returned.sms: Placeholder \{hotline\} is missing",
        ),
        (("[withdrawn]", "[withdrawal]"), r"withdrawal.sms: Unknown key \(did you mean withdrawn.sms\?\)"),
        (("[withdrawn]", "[withdrawal]"), r"withdrawn.sms: The key is missing"),
        (("valid_hours = 168", "valid_hours = 0"), r"result_ready.valid_hours: 0 is not a whole number"),
        (("version = 1", 'version = "1"'), r"0001.toml: version: '1' is not a whole number"),
        (("version = 1\n", ""), r"0001.toml: version: The key is missing. Add a whole number"),
        (("version = 1", "version = = 1"), r"0001.toml:7: not TOML: invalid value"),
        (('at_guidance = "quầy Hướng dẫn"', 'at_guidance = " "'), r"phrases.at_guidance: ' ' is not a text"),
        (("sms_parts = 4", "sms_parts = 1"), r"supplement_required.sms: \d parts with long values, 1 stated"),
        (("ông/bà: {dossier} lùi", "ông/bà: ✉ {dossier} lùi"), r"due_date_delayed.sms: contains a letter"),
    ],
)
def test_invalid_text_stops_the_start(change: tuple[str, str], complaint: str) -> None:
    """A fault names file and key; no text is repaired, defaulted or partly loaded."""
    assert change[0] in source()
    with pytest.raises(StartError, match=complaint):
        load(source().replace(*change))


@pytest.mark.parametrize("text", ["", "\ufeff", "\n# nothing yet\n"])
def test_empty_version_is_one_fault(text: str) -> None:
    """An empty file is reported once, not once for each missing text."""
    with pytest.raises(StartError) as refused:
        load(text)
    assert str(refused.value).splitlines() == [
        f"{CENTRE}: the centre's configuration has 1 fault; nothing was loaded.",
        "  messages/0001.toml: The file is empty. It needs version, valid_from, decision and every text; copy another "
        "version.",
    ]


def test_centre_without_texts_stops_the_start() -> None:
    """The fault names the folder of the texts."""
    with pytest.raises(StartError, match=r"messages/: The folder has no \*.toml"):
        load()


def test_new_version_is_in_force_from_its_local_date() -> None:
    """Messages use the version that they were planned with; events before the first version use the first."""
    newer = (
        source().replace("version = 1", "version = 2").replace("2017-04-28", "2018-01-01").replace("xin lỗi", "tiếc")
    )
    texts = load(source(), newer)
    assert texts.version_on(datetime(2017, 12, 31, 16, 59, tzinfo=UTC)).version == 1
    assert texts.version_on(datetime(2017, 12, 31, 17, 0, tzinfo=UTC)).version == 2
    assert texts.version_on(datetime(2012, 1, 1, tzinfo=UTC)).version == 1
    assert "xin loi" in texts.sms(1, "due_date_delayed", VALUES, PLACE)
    assert texts.book.versions[1].valid_from == date(2018, 1, 1)


def test_version_that_starts_too_early_stops_the_start() -> None:
    """A version that starts no later than the previous one would never be in force."""
    with pytest.raises(StartError, match=r"0002.toml: Version 2 of 2017-04-28 is not after version 1"):
        load(source(), source().replace("version = 1", "version = 2"))


def test_removed_version_is_reported(texts: Texts) -> None:
    """A planned message cannot be rendered with another version."""
    with pytest.raises(StartError, match="version 7"):
        texts.sms(7, "received", VALUES, PLACE)
