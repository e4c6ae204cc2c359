"""SMS encoding: alphabet and parts by 3GPP TS 23.038 and 23.040."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.sms import PER_PART, SEPTETS, encode, without_diacritics


@pytest.mark.parametrize(
    ("given_text", "plain"),
    [
        ("Đơn đề nghị cấp giấy phép", "Don de nghi cap giay phep"),
        (
            "ĂÂÊÔƠƯ ăâêôơư ắằẳẵặ ấầẩẫậ ếềểễệ ốồổỗộ ớờởỡợ ứừửữự ýỳỷỹỵ",
            "AAEOOU aaeoou aaaaa aaaaa eeeee ooooo ooooo uuuuu yyyyy",
        ),
        ("“Quầy” – số 5…", '"Quay" - so 5...'),
        ("Trung ta\u0302m", "Trung tam"),  # decomposed, as from some keyboards
        ("Тула", "Тула"),  # other scripts do not change
    ],
)
def test_vietnamese_loses_its_diacritics(given_text: str, plain: str) -> None:
    """SMS texts have plain letters, for đ as well."""
    assert without_diacritics(given_text) == plain


@pytest.mark.parametrize(
    ("text", "alphabet", "parts"),
    [
        ("", "gsm7", 1),
        ("a" * 160, "gsm7", 1),
        ("a" * 161, "gsm7", 2),
        ("a" * 306, "gsm7", 2),
        ("a" * 307, "gsm7", 3),
        ("€" * 80, "gsm7", 1),  # an extension character costs two septets
        ("€" * 81, "gsm7", 2),
        ("đ" * 70, "ucs2", 1),
        ("đ" * 71, "ucs2", 2),
        ("đ" * 134, "ucs2", 2),
        ("đ" * 135, "ucs2", 3),
        ("a" * 159 + "đ", "ucs2", 3),  # one letter makes the whole message UCS-2
        ("😀" * 35, "ucs2", 1),
        ("😀" * 36, "ucs2", 2),
        ("@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", "gsm7", 1),
        ("ç", "ucs2", 1),  # only the capital is in the table
        ("`", "ucs2", 1),
    ],
)
def test_text_has_alphabet_and_number_of_parts(text: str, alphabet: str, parts: int) -> None:
    """A single SMS has 160 septets, each of several parts 153; with UCS-2 it is 70 code units and 67."""
    encoded = encode(text)
    assert (encoded.alphabet, len(encoded.parts)) == (alphabet, parts)


def test_extension_character_is_not_split_across_parts() -> None:
    """If one septet is left in a part, an extension character moves to the next part."""
    text = "a" * 152 + "€" + "b" * 50
    assert encode(text).parts == ("a" * 152, "€" + "b" * 50)


def test_surrogate_pair_is_not_split_across_parts() -> None:
    """A character of two UTF-16 code units moves to the next part as a whole."""
    text = "đ" * 66 + "😀" + "đ" * 10
    assert encode(text).parts == ("đ" * 66, "😀" + "đ" * 10)


def test_alphabet_has_the_characters_of_the_standard() -> None:
    """The alphabet has 127 characters without the escape, and 10 of the extension table."""
    assert sorted(SEPTETS.values()) == [1] * 127 + [2] * 10


@given(st.text(st.sampled_from("abc 123{}[]~|€^\\đơ😀"), max_size=700))
def test_parts_join_to_the_text_within_the_limit(text: str) -> None:
    """For any text, the parts contain all of it and none exceeds its limit."""
    encoded = encode(text)
    assert "".join(encoded.parts) == text
    if len(encoded.parts) > 1:
        for part in encoded.parts:
            units = sum(SEPTETS[c] for c in part) if encoded.alphabet == "gsm7" else len(part.encode("utf-16-be")) // 2
            assert 0 < units <= PER_PART[encoded.alphabet]
