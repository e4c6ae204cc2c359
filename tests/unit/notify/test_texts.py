"""The texts of the default centre, and what a wrong file says at start."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.notify.domain.sms import encode
from services.notify.domain.texts import LONGEST, LONGEST_PLACE, NEEDED, PAPERS_IN_SMS
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


@pytest.mark.parametrize("template", NEEDED)
def test_every_sms_fits_its_stated_parts_with_long_values(texts: Texts, template: str) -> None:
    """GSM-7 only, and never more parts than the file states."""
    encoded = encode(texts.sms(1, template, LONGEST, LONGEST_PLACE))
    assert encoded.alphabet == "gsm7"
    assert len(encoded.parts) <= texts.book.version(1).numbers[f"{template}.sms_parts"]


@pytest.mark.parametrize("template", NEEDED)
def test_an_alert_outlasts_an_act_dated_back_over_a_weekend(texts: Texts, template: str) -> None:
    """Recorded as Monday opens, dated to Thursday's close: one working day, and the applicant must still hear."""
    thursday, monday = datetime(2017, 11, 16, 10, 0, tzinfo=UTC), datetime(2017, 11, 20, 0, 0, tzinfo=UTC)
    assert texts.valid_for(texts.version_on(thursday), template) > monday - thursday


@pytest.mark.parametrize("template", NEEDED)
def test_every_sms_is_complete_without_a_link(texts: Texts, template: str) -> None:
    """Code, date, where and hotline stand in it; nothing has to be opened to understand it."""
    sms = texts.sms(1, template, VALUES, PLACE)
    assert "H10.02-171120-0001" in sms
    assert "20/11/2017" in sms
    assert "0271 000 0000" in sms
    assert not re.search(r"http|www|\.vn", sms)
    if "where" in NEEDED[template]:
        assert "quay so 2, 3, Thi xa Dong Xoai" in sms


@pytest.mark.parametrize("template", NEEDED)
def test_every_email_keeps_its_diacritics(texts: Texts, template: str) -> None:
    """Subject names the dossier; the text is Vietnamese as written."""
    subject, text = texts.email(1, template, VALUES, PLACE)
    assert "Hồ sơ H10.02-171120-0001" in subject
    assert "\n" not in subject
    assert "Kính gửi ông/bà" in text
    assert "{" not in text


def test_a_supplement_says_which_papers_to_bring(texts: Texts) -> None:
    """In the SMS in one line, in the e-mail one a line."""
    assert "Ban sao giay khai sinh; So ho khau" in texts.sms(1, "supplement_required", VALUES, PLACE)
    assert "- Bản sao giấy khai sinh\n- Sổ hộ khẩu" in texts.email(1, "supplement_required", VALUES, PLACE)[1]


def test_papers_that_are_not_told_stand_on_the_form(texts: Texts) -> None:
    """An alert never asks for nothing."""
    sms = texts.sms(1, "supplement_required", VALUES | {"papers": []}, PLACE)
    assert "(phieu so H10.02-171120-F02-0001 ngay 20/11/2017): cac giay to ghi o phieu." in sms


def test_a_long_list_of_papers_is_counted_in_the_sms_and_whole_in_the_email(texts: Texts) -> None:
    """The SMS names what fits and how many more there are; the form's number says where they stand."""
    papers = [f"Giấy tờ thứ {n} có tên khá dài để không vừa một tin nhắn" for n in range(1, 13)]
    sms = texts.sms(1, "supplement_required", VALUES | {"papers": papers}, PLACE)
    named = sms.count("Giay to thu")
    assert f"va {12 - named} giay to khac" in sms
    assert len(sms) < PAPERS_IN_SMS + 280
    assert texts.email(1, "supplement_required", VALUES | {"papers": papers}, PLACE)[1].count("Giấy tờ thứ") == 12


def test_a_dossier_without_a_code_is_named_by_its_submission(texts: Texts) -> None:
    """Before receipt there is no code; the date is the centre's, not UTC's."""
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
def test_where_to_bring_papers(texts: Texts, place: dict[str, object] | None, words: str) -> None:
    """To the receiving place, or to guidance where routing has not answered: never to an empty place."""
    assert words in texts.sms(1, "supplement_required", VALUES, place)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"kind": "department", "counters": [2], "returning": "results"}, "quay Tra ket qua"),
        ({"kind": "department", "counters": [2, 3], "returning": "STP"}, "quay so 2, 3"),
        ({"kind": "general", "counters": [41], "returning": "STC"}, "quay Huong dan"),
    ],
)
def test_where_to_fetch_the_result(texts: Texts, place: dict[str, object], words: str) -> None:
    """At the returning place, which pooling does not change: the general counter only receives."""
    assert words in texts.sms(1, "result_ready", VALUES, place)


def test_hour_and_date_are_the_centres(texts: Texts) -> None:
    """16:30 in Bình Phước is 09:30 UTC."""
    assert "16:30 ngay 27/11/2017" in texts.sms(1, "received", VALUES, PLACE)


def test_fees_are_paid_at_the_fees_counter(texts: Texts) -> None:
    """Where the centre has one; else where papers are brought."""
    assert "quay Thu phi, le phi (so 43)" in texts.sms(1, "payment_required", VALUES | {"fees": [43]}, PLACE)
    assert "quay so 2, 3" in texts.sms(1, "payment_required", VALUES | {"fees": []}, PLACE)
    assert texts.fees_counters(datetime(2017, 11, 20, tzinfo=UTC)) == [43]


def test_an_amount_is_written_as_in_vietnam(texts: Texts) -> None:
    """Thousands are set apart by dots."""
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
        (("ông/bà: {dossier} lùi", "ông/bà: ✉ {dossier} lùi"), r"due_date_delayed.sms: has a letter"),
    ],
)
def test_a_wrong_text_stops_the_start_with_file_and_key(change: tuple[str, str], complaint: str) -> None:
    """No text is repaired, defaulted or half-loaded."""
    assert change[0] in source()
    with pytest.raises(StartError, match=complaint):
        load(source().replace(*change))


@pytest.mark.parametrize("text", ["", "\ufeff", "\n# nothing yet\n"])
def test_an_empty_version_is_one_fault(text: str) -> None:
    """Told as every fault of the folder is, with its head; not once for each text that it lacks."""
    with pytest.raises(StartError) as refused:
        load(text)
    assert str(refused.value).splitlines() == [
        f"{CENTRE}: the centre's configuration has 1 fault; nothing was loaded.",
        "  messages/0001.toml: The file is empty. It needs version, valid_from, decision and every text; copy another "
        "version.",
    ]


def test_a_centre_without_texts_stops_the_start() -> None:
    """And says where they were looked for."""
    with pytest.raises(StartError, match=r"messages/: The folder has no \*.toml"):
        load()


def test_a_new_version_counts_from_its_local_date_on_and_the_old_one_is_kept() -> None:
    """Messages keep the version that they were planned with; events before the first version take the first."""
    newer = (
        source().replace("version = 1", "version = 2").replace("2017-04-28", "2018-01-01").replace("xin lỗi", "tiếc")
    )
    texts = load(source(), newer)
    assert texts.version_on(datetime(2017, 12, 31, 16, 59, tzinfo=UTC)).version == 1
    assert texts.version_on(datetime(2017, 12, 31, 17, 0, tzinfo=UTC)).version == 2
    assert texts.version_on(datetime(2012, 1, 1, tzinfo=UTC)).version == 1
    assert "xin loi" in texts.sms(1, "due_date_delayed", VALUES, PLACE)
    assert texts.book.versions[1].valid_from == date(2018, 1, 1)


def test_two_versions_must_follow_each_other() -> None:
    """A version that starts no later than the one before would never count."""
    with pytest.raises(StartError, match=r"0002.toml: Version 2 of 2017-04-28 is not after"):
        load(source(), source().replace("version = 1", "version = 2"))


def test_a_version_that_was_taken_away_is_missed(texts: Texts) -> None:
    """A planned message cannot be written in other words."""
    with pytest.raises(StartError, match="version 7"):
        texts.sms(7, "received", VALUES, PLACE)
