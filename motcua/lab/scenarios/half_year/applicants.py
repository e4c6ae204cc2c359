"""Applicants made up from lists of words; their phone numbers all begin with three zeros after the prefix."""

from typing import Any

from motcua.lab.scenarios.half_year.parameters import Figures
from motcua.lab.scenarios.half_year.random_stream import Lots

_FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Điểu", "Thị")
_MIDDLES = ("Văn", "Thị", "Hữu", "Ngọc", "Minh", "Thanh", "Quốc", "Kim", "Xuân")
_GIVEN = ("An", "Bình", "Châu", "Dũng", "Hạnh", "Hoa", "Hùng", "Lan", "Long", "Mai", "Nam", "Phúc", "Sơn", "Thảo", "Tú")
_ELEVEN_DIGITS = ("0122", "0123", "0162", "0165", "0168", "0169")
_TEN_DIGITS = ("090", "091", "094", "097", "098")


def applicant(lots: Lots, figures: Figures) -> dict[str, Any]:
    """Who asks, as an act carries it."""
    name = " ".join(lots.one_of(words) for words in (_FAMILIES, _MIDDLES, _GIVEN))
    person = {"name": name}
    if not lots.happens(figures.without_contact):
        person["phone"] = phone(lots, figures)
        if lots.happens(figures.with_email):
            person["email"] = f"nguoi-nop-{lots.whole(1, 99_999):05}@example.com"
    return person


def phone(lots: Lots, figures: Figures) -> str:
    """A number of the kind that people had in 2017: ten or eleven digits."""
    prefix = lots.one_of(_ELEVEN_DIGITS if lots.happens(figures.eleven_digits) else _TEN_DIGITS)
    return f"{prefix}000{lots.whole(0, 9_999):04}"
