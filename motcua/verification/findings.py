"""What a check finds wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One broken promise: which check, about which dossier (or calendar, or partition), in a sentence."""

    check: str
    subject: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.check}: {self.subject}: {self.sentence}"
