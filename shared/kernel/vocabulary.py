"""The closed lists of words that domains and events share."""

from typing import Literal

State = Literal[
    "submitted",
    "received",
    "processing",
    "supplement_required",
    "payment_required",
    "settled",
    "refused",
    "withdrawn",
    "stopped",
    "returned",
]
"""The states of a dossier."""

Channel = Literal["online", "counter", "post"]
"""How a dossier arrives."""

Reach = Literal["sms", "email"]
"""How an applicant can be reached."""

Role = Literal["applicant", "clerk", "officer", "leader", "ops", "auditor", "service", "importer"]
"""What an actor is at the centre."""
