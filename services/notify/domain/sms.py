"""What a short message costs: Vietnamese without diacritics, the GSM 7-bit alphabet, and parts.

Source: 3GPP TS 23.038, clauses 6.2.1 and 6.2.1.1 (alphabet, extension table); TS 23.040, clause 9.2.3.24.1 (parts).
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"

SEPTETS = dict.fromkeys(_BASIC, 1) | dict.fromkeys(_EXTENSION, 2)
"""What a character costs in septets; an extension character is an escape and a character. Others need UCS-2."""

SINGLE = {"gsm7": 160, "ucs2": 70}
PER_PART = {"gsm7": 153, "ucs2": 67}
"""Units (septets; UTF-16 code units) that fit: alone, and in each part of several (6 octets go to the header)."""

_PLAIN = str.maketrans(
    {
        "đ": "d",
        "Đ": "D",
        "–": "-",
        "—": "-",
        "‐": "-",
        "−": "-",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "…": "...",
        "•": "-",
        "\u00a0": " ",
        "\u202f": " ",
    }
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text as it goes over the air: `parts` joined give the text again."""

    alphabet: Literal["gsm7", "ucs2"]
    parts: tuple[str, ...]


def without_diacritics(text: str) -> str:
    """Vietnamese in plain letters (đ included), typographic dashes and quotation marks as the keyboard's.

    Composed and decomposed input give the same answer; letters of other scripts stay as they are.
    """
    bare = (c for c in unicodedata.normalize("NFD", text.translate(_PLAIN)) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", "".join(bare))


def encode(text: str) -> Encoded:
    """The text's alphabet and parts.

    One character outside the GSM alphabet makes the whole message UCS-2. Neither an extension character (two septets)
    nor a surrogate pair (two code units) is ever split across parts, so a part may stay one unit short.
    """
    alphabet: Literal["gsm7", "ucs2"] = "gsm7" if all(c in SEPTETS for c in text) else "ucs2"
    costs = [SEPTETS[c] if alphabet == "gsm7" else 1 + (ord(c) > 0xFFFF) for c in text]
    if sum(costs) <= SINGLE[alphabet]:
        return Encoded(alphabet, (text,))
    parts, start, used = [], 0, 0
    for place, cost in enumerate(costs):
        if used + cost > PER_PART[alphabet]:
            parts.append(text[start:place])
            start, used = place, 0
        used += cost
    return Encoded(alphabet, (*parts, text[start:]))
