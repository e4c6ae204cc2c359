"""Invented applicants: names from lists of words, phone numbers that have three zeros after the prefix."""

from typing import Any

from motcua.lab.scenarios.half_year.parameters import Parameters
from motcua.lab.scenarios.half_year.random_stream import RandomStream

_FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Điểu", "Thị")
_MIDDLES = ("Văn", "Thị", "Hữu", "Ngọc", "Minh", "Thanh", "Quốc", "Kim", "Xuân")
_GIVEN = ("An", "Bình", "Châu", "Dũng", "Hạnh", "Hoa", "Hùng", "Lan", "Long", "Mai", "Nam", "Phúc", "Sơn", "Thảo", "Tú")
_ELEVEN_DIGITS = ("0122", "0123", "0162", "0165", "0168", "0169")
_TEN_DIGITS = ("090", "091", "094", "097", "098")


def applicant(stream: RandomStream, parameters: Parameters) -> dict[str, Any]:
    """Draw an applicant: a name, usually a phone number, and sometimes an e-mail address.

    Returned as the JSON object `applicant` of an act's data.
    """
    name = " ".join(stream.choice(words) for words in (_FAMILIES, _MIDDLES, _GIVEN))
    person = {"name": name}
    if not stream.happens(parameters.without_contact):
        person["phone"] = phone(stream, parameters)
        if stream.happens(parameters.with_email):
            person["email"] = f"nguoi-nop-{stream.integer(1, 99_999):05}@example.com"
    return person


def phone(stream: RandomStream, parameters: Parameters) -> str:
    """Draw a mobile phone number in the format of 2017: ten or eleven digits, without spaces."""
    prefix = stream.choice(_ELEVEN_DIGITS if stream.happens(parameters.eleven_digits) else _TEN_DIGITS)
    return f"{prefix}000{stream.integer(0, 9_999):04}"
