"""Conversion of phone numbers in any common notation to E.164; mobile prefixes from before 2018 are replaced."""

import phonenumbers

OLD_PREFIXES = {
    # MobiFone
    "120": "70",
    "121": "79",
    "122": "77",
    "126": "76",
    "128": "78",
    # VinaPhone
    "123": "83",
    "124": "84",
    "125": "85",
    "127": "81",
    "129": "82",
    # Viettel
    "162": "32",
    "163": "33",
    "164": "34",
    "165": "35",
    "166": "36",
    "167": "37",
    "168": "38",
    "169": "39",
    # Vietnamobile
    "186": "56",
    "188": "58",
    # Gmobile
    "199": "59",
}
"""Mobile prefix of an 11-digit number -> its present prefix (Decision 798/QD-BTTTT of 25 May 2018)."""

_MOBILE = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}


def mobile_number(text: str) -> str | None:
    """Return a phone number in E.164 ("+84…"); None if it is invalid or cannot receive an SMS.

    A number without a country code is Vietnamese. An 11-digit mobile number from before 2018 gets its present prefix;
    its last seven digits do not change.
    """
    try:
        number = phonenumbers.parse(text, "VN")
    except phonenumbers.NumberParseException:
        return None
    national = str(number.national_number)
    if number.country_code == 84 and len(national) == 10 and national[:3] in OLD_PREFIXES:
        number.national_number = int(OLD_PREFIXES[national[:3]] + national[3:])
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in _MOBILE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
