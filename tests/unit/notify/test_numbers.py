"""Phone numbers become E.164, or None where no SMS can arrive."""

import pytest

from services.notify.numbers import OLD_PREFIXES, mobile


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
def test_numbers_as_people_write_them(written: str, e164: str | None) -> None:
    """Without a country a number is Vietnamese; prefixes of before 2018 are today's."""
    assert mobile(written) == e164


@pytest.mark.parametrize("old", OLD_PREFIXES)
def test_every_old_prefix_gives_a_valid_number(old: str) -> None:
    """All 21 prefixes of Decision 798/QD-BTTTT lead to a mobile number that exists today, last seven digits kept."""
    assert mobile(f"0{old}2345678") == f"+84{OLD_PREFIXES[old]}2345678"


def test_every_old_prefix_is_listed_once() -> None:
    """21 old prefixes, 21 new ones."""
    assert len(OLD_PREFIXES) == len(set(OLD_PREFIXES.values())) == 21
