"""Sessions of the page."""

import pytest

from services.ops.page.sessions import LIFETIME_SECONDS, Sessions


def test_session_expires_after_its_lifetime() -> None:
    """A session ends twelve hours after the sign-in."""
    now = [0.0]
    sessions = Sessions(monotonic=lambda: now[0])
    session_id = sessions.create("key")
    now[0] = LIFETIME_SECONDS - 1
    assert sessions.key(session_id) == "key"
    now[0] = LIFETIME_SECONDS
    assert sessions.key(session_id) is None


@pytest.mark.parametrize("session_id", [None, "", "of-another-process"])
def test_unknown_session_has_no_key(session_id: str | None) -> None:
    """A cookie that this process did not set opens no session."""
    assert Sessions().key(session_id) is None


def test_oldest_session_ends_at_the_limit() -> None:
    """The 201st session ends the oldest one."""
    sessions = Sessions()
    ids = [sessions.create(str(number)) for number in range(201)]
    assert sessions.key(ids[0]) is None
    assert sessions.key(ids[1]) == "1"
