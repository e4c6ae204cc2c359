"""Phone numbers become E.164, or None if they cannot receive an SMS."""

import pytest

from services.notify.phone_numbers import OLD_PREFIXES, mobile_number


@pytest.mark.parametrize(
    ("written", "e164"),
    [
        ("0912 345 678", "+84912345678"),
        ("84912345678", "+84912345678"),
        ("+84 (0) 912.345.678", "+84912345678"),
        ("0168 123 4567", "+84381234567"),
        ("+84 168 123 4567", "+84381234567"),
        ("01991234567", "+84591234567"),
        ("0271 388 8999", None),  # a landline of the province
        ("113", None),
        ("không có", None),
        ("", None),
        ("+33 6 12 34 56 78", "+33612345678"),
    ],
)
def test_number_in_any_notation_becomes_e164(written: str, e164: str | None) -> None:
    """A number without a country is Vietnamese, and prefixes from before 2018 become the present ones."""
    assert mobile_number(written) == e164


@pytest.mark.parametrize("old", OLD_PREFIXES)
def test_old_prefix_gives_valid_number(old: str) -> None:
    """Each prefix of Decision 798/QD-BTTTT leads to a valid mobile number with the same last seven digits."""
    assert mobile_number(f"0{old}2345678") == f"+84{OLD_PREFIXES[old]}2345678"


def test_old_prefix_is_listed_once() -> None:
    """21 old prefixes have 21 different new ones."""
    assert len(OLD_PREFIXES) == len(set(OLD_PREFIXES.values())) == 21
