"""The runbook quotes messages, metrics and paths as the code prints them."""

import re

import pytest

from tests.architecture.tree import ROOT, sources, texts

RUNBOOK = ROOT / "docs" / "operations.md"


def quoted() -> list[str]:
    """The quotations in the first column of the table of troubles."""
    table = RUNBOOK.read_text().split("## Trouble", 1)[1]
    symptoms = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    return [quotation for symptom in symptoms for quotation in re.findall(r"`([^`]+)`", symptom)]


@pytest.fixture(scope="module")
def printed() -> set[str]:
    """Every string in the code of services, shared and motcua; a value that an f-string inserts ends a string."""
    return {text for file in sources("services", "shared", "motcua") for text in texts(file)}


@pytest.mark.parametrize("quotation", quoted())
def test_quoted_message_occurs_in_the_code(quotation: str, printed: set[str]) -> None:
    """An engineer on duty searches the runbook for what is on the screen; `…` is the part that differs."""
    parts = [part.strip() for part in quotation.split("…") if part.strip()]
    assert parts
    assert [part for part in parts if not any(part in text for text in printed)] == []
