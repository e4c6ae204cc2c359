"""An applicant's contact: checked for what can be wrong on its face, kept as given."""

import re
from collections.abc import Collection, Mapping
from typing import Literal

from shared.kernel.errors import ExpectedError, FieldError

Reach = Literal["sms", "email"]

_PHONE = re.compile(r"\+?[0-9(][0-9 ().\-]{6,24}", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>,;\"]{1,64}@(?:[^\s@<>,;.\"]{1,63}\.)+[^\s@<>,;.\"]{2,63}")


def check_contact(phone: str | None, email: str | None, *, pointer: str) -> None:
    """Raises Refusal (422) for a phone number or an e-mail address that cannot be one.

    The detail never repeats what was given: problems are logged by clients.
    """
    wrong = []
    if phone is not None and not (_PHONE.fullmatch(phone) and 8 <= sum(c.isdigit() for c in phone) <= 15):
        wrong.append(FieldError(f"{pointer}/phone", "a phone number has 8 to 15 digits, with + ( ) . - and spaces"))
    if email is not None and not (len(email) <= 254 and _EMAIL.fullmatch(email)):
        wrong.append(FieldError(f"{pointer}/email", "an e-mail address looks like name@example.vn"))
    if wrong:
        raise ExpectedError("invalid-contact", wrong[0].detail, status=422, errors=wrong)


def reach(phone: str | None, email: str | None) -> tuple[Reach, ...]:
    """The ways in which an applicant can be told; none is allowed (paper receipt only)."""
    ways: Mapping[Reach, str | None] = {"sms": phone, "email": email}
    return tuple(way for way, value in ways.items() if value)


def corrected_reach(before: Collection[Reach], given: Mapping[str, str | None]) -> tuple[Reach, ...]:
    """The ways in which an applicant can be told once what is `given` of phone and e-mail has replaced the old."""
    standing = {"phone": "sms" in before, "email": "email" in before}
    now = standing | {name: bool(given[name]) for name in standing if name in given}
    return reach("known" if now["phone"] else None, "known" if now["email"] else None)
