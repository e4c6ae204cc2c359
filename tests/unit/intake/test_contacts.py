"""Phone numbers and e-mail addresses of applicants."""

import pytest

from services.intake.domain.contacts import check_contact, reach_of
from services.intake.domain.errors import InvalidContactError


@pytest.mark.parametrize(
    ("phone", "email"),
    [
        (None, None),
        ("0912345678", None),
        ("+84 (912) 345-678", None),
        ("12345678", None),
        ("123456789012345", None),
        (None, "an@example.vn"),
        ("0912345678", "an@example.vn"),
    ],
)
def test_valid_contact_is_accepted(phone: str | None, email: str | None) -> None:
    """Either may be missing; a phone number has 8 to 15 digits."""
    check_contact(phone, email, pointer="/data/applicant")


@pytest.mark.parametrize(
    ("phone", "email", "pointers"),
    [
        ("1234567", None, ["/data/applicant/phone"]),
        ("1234567890123456", None, ["/data/applicant/phone"]),
        ("09123x5678", None, ["/data/applicant/phone"]),
        (None, "an", ["/data/applicant/email"]),
        (None, "a" * 250 + "@b.vn", ["/data/applicant/email"]),
        ("1", "an", ["/data/applicant/phone", "/data/applicant/email"]),
    ],
)
def test_invalid_contact_is_refused_without_its_value(
    phone: str | None, email: str | None, pointers: list[str]
) -> None:
    """The refusal points to each wrong member, and repeats no value."""
    with pytest.raises(InvalidContactError) as refused:
        check_contact(phone, email, pointer="/data/applicant")
    assert [error.pointer for error in refused.value.errors] == pointers
    problem = str([error.detail for error in refused.value.errors])
    assert not any(value in problem for value in (phone, email) if value and len(value) > 2)


def test_reach_lists_the_ways_with_a_value() -> None:
    """With an empty value the applicant cannot be reached."""
    assert [reach_of("0912345678", "an@example.vn"), reach_of(None, "an@example.vn"), reach_of("", None)] == [
        ("sms", "email"),
        ("email",),
        (),
    ]
