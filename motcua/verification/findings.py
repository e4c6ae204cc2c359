"""The result of a verification check: findings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One discrepancy: the name of the check that found it, the dossier or calendar concerned, and a sentence."""

    check: str
    subject: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.check}: {self.subject}: {self.sentence}"
