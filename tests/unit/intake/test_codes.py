"""Dossier codes, form numbers, and the parser of other systems' codes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.codes import SerialKey, Serials, dossier_code, form_number, parse_code
from shared.kernel.errors import Refusal
from shared.service.problems import status_of

DAY = date(2017, 4, 28)


def test_code_has_agency_day_and_serial() -> None:
    """The example of Circular 01/2018."""
    assert dossier_code("H10.18", DAY, 1) == "H10.18-170428-0001"


def test_serial_grows_beyond_four_digits() -> None:
    """The ten-thousandth dossier of a day gets a new code."""
    assert dossier_code("H10.18", DAY, 10_000) == "H10.18-170428-10000"


def test_number_of_the_receipt_is_the_code() -> None:
    """Form 01 is the receipt; other forms have numbers of their own."""
    assert form_number(SerialKey("H10.18", DAY, "01"), 7) == "H10.18-170428-0007"
    assert form_number(SerialKey("H10.18", DAY, "02"), 7) == "H10.18-170428-F02-0007"


def test_serials_follow_the_last_one_of_their_agency_and_day() -> None:
    """Each agency and day has its own sequence."""
    monday, tuesday = SerialKey("H10.18", DAY, "01"), SerialKey("H10.18", date(2017, 4, 29), "01")
    serials = Serials({monday: 41, tuesday: 0})
    assert [serials.draw(monday), serials.draw(monday), serials.draw(tuesday)] == [42, 43, 1]
    assert serials.drawn == {monday: 43, tuesday: 1}


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("H10.18-170428-0001", "H10.18-170428-0001"),
        (" h10.18-170428-0001 ", "H10.18-170428-0001"),
        ("000.00.18.H10-170428-0001", "H10.18-170428-0001"),
        ("000.18.H10-170428-0001", "H10.18-170428-0001"),
        ("H10.18.00.000-170428-12345", "H10.18-170428-12345"),
        ("H10.18.05-170428-1234567", "H10.18.05-170428-1234567"),
        ("000.05.18.H10-170428-0001", "H10.18.05-170428-0001"),
        ("G09-200229-0001", "G09-200229-0001"),
    ],
)
def test_codes_of_other_systems_are_parsed(text: str, normal: str) -> None:
    """Units may be in either order and more than two; a serial has 4 to 7 digits."""
    assert str(parse_code(text)) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "H10.18",
        "H10.18-170428-001",
        "H10.18-170428-12345678",
        "H10.18-171328-0001",
        "H10.18-170229-0001",
        "H10..18-170428-0001",
        "H10.18-170428-0001x",
        "H10.18-170428-000\N{ARABIC-INDIC DIGIT ONE}",
    ],
)
def test_text_that_is_not_a_code_is_refused(text: str) -> None:
    """A text is not corrected, and its day must exist."""
    with pytest.raises(Refusal, match="not a dossier code") as refusal:
        parse_code(text)
    assert status_of(refusal.value) == 422


@given(
    unit=st.integers(1, 99),
    province=st.integers(0, 99),
    day=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    serial=st.integers(1, 9_999_999),
)
def test_own_code_is_parsed_to_itself(unit: int, province: int, day: date, serial: int) -> None:
    """The parser accepts every generated code."""
    code = dossier_code(f"H{province:02d}.{unit:02d}", day, serial)
    parsed = parse_code(code)
    assert (str(parsed), parsed.day, int(parsed.serial)) == (code, day, serial)
