"""Texts of the page in both languages."""

from typing import get_args

import pytest

from services.ops.domain.progress import STATES
from services.ops.page.renderer import OUTCOMES
from services.ops.page.texts import LANGUAGES, Language, Texts
from shared.kernel.vocabulary import State


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_and_outcome_has_a_text(language: Language) -> None:
    """Dossier states, message outcomes and progress states have a text, in Vietnamese other than the key."""
    texts = Texts(language)
    keys = [*get_args(State), *OUTCOMES, *STATES]
    assert all(texts(key) for key in keys)
    if language == "vi":
        assert [key for key in keys if texts(key) == key] == []


def test_key_without_text_is_shown_as_it_is() -> None:
    """A value of a later release has no text and is shown itself."""
    assert Texts("vi")("reopened") == "reopened"


@pytest.mark.parametrize(
    ("seconds", "vi", "en"),
    [
        (None, "–", "–"),
        (0.25, "0,2 giây", "0.2 s"),
        (8.96, "9 giây", "9 s"),
        (9.04, "9 giây", "9 s"),
        (9.96, "10 giây", "10 s"),
        (119, "119 giây", "119 s"),
        (150, "2,5 phút", "2.5 min"),
        (7200, "2 giờ", "2 h"),
        (864_000, "10 ngày", "10 days"),
    ],
)
def test_duration_uses_the_largest_unit_with_two(seconds: float | None, vi: str, en: str) -> None:
    """A duration of at least twice a unit is formatted in that unit."""
    assert (Texts("vi").duration(seconds), Texts("en").duration(seconds)) == (vi, en)


def test_number_follows_the_language() -> None:
    """Vietnamese writes 12.345 and English 12,345."""
    assert (Texts("vi").number(12_345), Texts("en").number(12_345)) == ("12.345", "12,345")
