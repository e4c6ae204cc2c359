"""Derived keys and ids of past acts: always the same for the same act, and accepted by intake."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motcua.lab.past_acts import PastActor, dossier_id, idempotency_key, utc_text
from services.intake.dossiers.schemas import check_key

AT = datetime(2017, 5, 11, 1, 2, 3, 456789, tzinfo=UTC)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80), min_size=1, max_size=5))
def test_key_of_any_words_is_accepted_by_intake(words: list[str]) -> None:
    """A key of any words is visible ASCII and not longer than intake's limit."""
    assert check_key(idempotency_key(*words))


def test_long_keys_differ_by_their_hash() -> None:
    """Two long keys that differ only in the part cut off are different."""
    one, other = (idempotency_key("log", "x" * 500 + end) for end in ("a", "b"))
    assert one != other
    assert one == idempotency_key("log", "x" * 500 + "a")


def test_slash_in_a_part_does_not_separate_parts() -> None:
    """A slash in a part is encoded, so it does not separate parts."""
    assert idempotency_key("a/b", "c") != idempotency_key("a", "b/c")


def test_dossier_id_depends_on_instant_and_words() -> None:
    """The id is a UUIDv7 (RFC 9562) with the instant in milliseconds; equal words and instants give equal ids."""
    found = dossier_id(AT, "log", "c1")
    assert (found.version, found.variant) == (7, "specified in RFC 4122")
    assert found.int >> 80 == int(AT.timestamp() * 1000)
    assert found == dossier_id(AT, "log", "c1")
    assert len({found, dossier_id(AT, "log", "c2"), dossier_id(AT + timedelta(days=1), "log", "c1")}) == 3


def test_instants_are_sent_in_utc_text() -> None:
    """An instant with any offset is sent in UTC; a naive one is rejected."""
    assert utc_text(AT.astimezone(timezone(timedelta(hours=7)))) == "2017-05-11T01:02:03.456789Z"
    with pytest.raises(ValueError, match="has no offset"):
        utc_text(AT.replace(tzinfo=None))


def test_actor_has_the_members_of_a_request() -> None:
    """Unknown members are left out."""
    assert PastActor(id="clerk-3", role="clerk", counter=3).members() == {
        "kind": "person",
        "id": "clerk-3",
        "role": "clerk",
        "counter": 3,
    }
    assert PastActor(id="log", role="clerk", system=True).members() == {"kind": "system", "id": "log", "role": "clerk"}
