"""Phone number and e-mail address of an applicant: only the syntax is checked, and a value is never rewritten."""

import re
from collections.abc import Collection, Mapping

from services.intake.domain.errors import InvalidContactError
from shared.kernel.errors import FieldError
from shared.kernel.vocabulary import Reach

_PHONE = re.compile(r"\+?[0-9(][0-9 ().\-]{6,24}", re.ASCII)
_EMAIL = re.compile(r"[^\s@<>,;\"]{1,64}@(?:[^\s@<>,;.\"]{1,63}\.)+[^\s@<>,;.\"]{2,63}")


def check_contact(phone: str | None, email: str | None, *, pointer: str) -> None:
    """Raise InvalidContactError if the phone number or the e-mail address has an invalid syntax; None is valid.

    The error points to `<pointer>/phone` or `<pointer>/email`. It never contains the value, since clients log errors.
    """
    errors = []
    if phone is not None and not (_PHONE.fullmatch(phone) and 8 <= sum(c.isdigit() for c in phone) <= 15):
        errors.append(FieldError(f"{pointer}/phone", "A phone number has 8 to 15 digits, + ( ) . - and spaces."))
    if email is not None and not (len(email) <= 254 and _EMAIL.fullmatch(email)):
        errors.append(FieldError(f"{pointer}/email", "An e-mail address has the form name@example.vn."))
    if errors:
        raise InvalidContactError(errors[0].detail, errors=errors)


def reach_of(phone: str | None, email: str | None) -> tuple[Reach, ...]:
    """Return the ways to reach an applicant: `sms` with a phone number, `email` with an e-mail address.

    An applicant with neither is allowed (receipt on paper only); the result is then empty.
    """
    ways: Mapping[Reach, str | None] = {"sms": phone, "email": email}
    return tuple(way for way, value in ways.items() if value)


def corrected_reach(before: Collection[Reach], correction: Mapping[str, str | None]) -> tuple[Reach, ...]:
    """Return the ways to reach an applicant after a correction; `before` are the ways before it.

    `correction` has the new values, by member. A member that is not in it leaves its way as it was.
    """
    has = {"phone": "sms" in before, "email": "email" in before}
    has |= {name: bool(correction[name]) for name in has if name in correction}
    return reach_of("present" if has["phone"] else None, "present" if has["email"] else None)
