"""Redaction: personal data and secrets are replaced before a log line is written.

Two rules, since neither is complete: the value of a field with a personal name is replaced as a whole, and in every
other text what looks personal or secret is replaced (the error message of a database quotes the rejected row).
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
    # pydantic quotes the rejected value, which may be anything that an applicant wrote
    (re.compile(r"input_value=.*?, input_type="), "input_value=[redacted], input_type="),
    # Postgres quotes the whole row
    (re.compile(r"(Failing row contains|Key) \(.*\)"), r"\1 ([redacted])"),
)


def redact_text(text: str) -> str:
    """Return `text` with placeholders in place of what looks personal or secret.

    That is e-mail addresses, phone and identity numbers, passwords in database URLs, bearer tokens, and the rejected
    values or rows that error messages of pydantic and Postgres quote.
    """
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact(value: Any, field: str = "") -> Any:
    """Return `value` in a form that can be logged: REDACTED if `field` is one of PERSONAL_FIELDS, otherwise a copy.

    In the copy, each text is redacted by `redact_text`, and mappings and lists are redacted at any depth, with their
    keys as field names. Numbers and keys remain unchanged. Tuples and sets become lists, other objects become texts.
    """
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
