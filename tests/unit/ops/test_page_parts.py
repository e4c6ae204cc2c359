"""What the page says and for how long a session holds."""

from typing import get_args

import pytest

from services.ops.domain.pace import WORDS
from services.ops.page.routes import OUTCOMES
from services.ops.page.sessions import LIFE_SECONDS, Sessions
from services.ops.page.words import LANGUAGES, Language, Words
from shared.contracts.dossiers import State


def test_a_session_ends_after_twelve_hours() -> None:
    """Whoever forgets to sign out is signed out."""
    now = [0.0]
    sessions = Sessions(monotonic=lambda: now[0])
    name = sessions.begin("key")
    now[0] = LIFE_SECONDS - 1
    assert sessions.key(name) == "key"
    now[0] = LIFE_SECONDS
    assert sessions.key(name) is None


@pytest.mark.parametrize("name", [None, "", "somebody-elses"])
def test_no_session_has_no_key(name: str | None) -> None:
    """A cookie that this process did not give opens nothing."""
    assert Sessions().key(name) is None


def test_memory_is_bounded() -> None:
    """The oldest session makes room."""
    sessions = Sessions()
    names = [sessions.begin(str(number)) for number in range(201)]
    assert sessions.key(names[0]) is None
    assert sessions.key(names[1]) == "1"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_field_is_there(language: Language) -> None:
    """States of dossiers, outcomes of messages, and how a group gets on."""
    words = Words(language)
    wanted = [*get_args(State), *OUTCOMES, *WORDS]
    assert all(words(word) for word in wanted)
    if language == "vi":
        assert [word for word in wanted if words(word) == word] == []


def test_a_word_that_nobody_translated_stands_for_itself() -> None:
    """Lists are open: a later release may tell others."""
    assert Words("vi")("reopened") == "reopened"


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
def test_a_duration_has_the_unit_that_people_would_choose(seconds: float | None, vi: str, en: str) -> None:
    """From twice a unit on it is told in that unit."""
    assert (Words("vi").duration(seconds), Words("en").duration(seconds)) == (vi, en)


def test_numbers_are_written_as_the_language_does() -> None:
    """1.234,5 and 1,234.5 are the same number."""
    assert (Words("vi").number(12_345), Words("en").number(12_345)) == ("12.345", "12,345")
