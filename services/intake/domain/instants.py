"""Text form of instants."""

from datetime import datetime


def iso(instant: datetime) -> str:
    """Return the instant as text in ISO 8601, with `Z` for UTC."""
    return instant.isoformat().replace("+00:00", "Z")
