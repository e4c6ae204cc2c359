"""Personal data never enters logs: what a line may hold of it is replaced before the line is written.

Two nets, since either alone has holes: fields by their name, and anything that looks like an address or a number
inside other texts (a database's error message quotes the row that it refused).
"""

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"

PERSONAL_FIELDS = frozenset(
    {
        *("name", "full_name", "applicant", "applicant_name", "date_of_birth", "birth_date"),
        *("phone", "phone_number", "mobile", "email", "mail", "address", "contact", "contacts", "recipient"),
        *("identity", "identity_number", "id_number", "passport", "pin", "note", "reason_text", "text", "body"),
        *("authorization", "password", "secret", "token", "api_key", "database_url", "dsn"),
    }
)

_PATTERNS = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    # +84…, 0…: phones in any common spacing, and the twelve digits of an identity number, which begins with 0
    (re.compile(r"(?<![\w.:+-])(?:\+84|0)(?:[ .-]?\d){8,11}(?![\w:-])"), "[number]"),
    (re.compile(r"(postgres(?:ql)?://[^:/\s]+):[^@\s]*@"), r"\1:[redacted]@"),
    (re.compile(r"Bearer\s+\S+"), "Bearer [redacted]"),
    # pydantic shows the refused value, which may be anything that an applicant wrote
    (re.compile(r"input_value=.*?, input_type="), "input_value=[redacted], input_type="),
    # Postgres quotes the whole row
    (re.compile(r"(Failing row contains|Key) \(.*\)"), r"\1 ([redacted])"),
)


def redact_text(text: str) -> str:
    """The text without what looks like a person's number or address."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact(value: Any, field: str = "") -> Any:
    """The value without personal data, whole structures included; never changes what it was given."""
    if field.lower() in PERSONAL_FIELDS and value is not None:
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {key: redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return redact_text(str(value))
