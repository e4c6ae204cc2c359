"""SMS encoding: Vietnamese without diacritics, the GSM 7-bit alphabet, and the parts of a long text.

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
"""Character -> septets; an extension character is an escape and a character. Any other character needs UCS-2."""

SINGLE = {"gsm7": 160, "ucs2": 70}
PER_PART = {"gsm7": 153, "ucs2": 67}
"""Units (septets; UTF-16 code units) of a text in one part, and of each of several parts (6 octets are the header)."""

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
    """How an SMS is transmitted: its alphabet, and its text split into parts."""

    alphabet: Literal["gsm7", "ucs2"]
    parts: tuple[str, ...]


def without_diacritics(text: str) -> str:
    """Return the text with plain letters for those with diacritics (and đ), and ASCII for typographic punctuation.

    Composed and decomposed input give the same result; letters of other scripts without diacritics do not change.
    """
    bare = (c for c in unicodedata.normalize("NFD", text.translate(_PLAIN)) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", "".join(bare))


def encode(text: str) -> Encoded:
    """Return the alphabet in which a text is transmitted as SMS, and the text split into parts.

    One character outside the GSM alphabet makes the whole message UCS-2. An extension character (two septets) and a
    surrogate pair (two code units) are never split across parts, so a part may be one unit short.
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
