"""Derived keys and ids: the same past always has the same ones, and intake takes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motcua.lab.past_acts import Doer, dossier_id, idempotency_key, utc
from services.intake.dossiers.schemas import check_key

AT = datetime(2017, 5, 11, 1, 2, 3, 456789, tzinfo=UTC)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80), min_size=1, max_size=5))
def test_any_words_make_a_key_that_intake_takes(words: list[str]) -> None:
    """Whatever a log's cells hold: visible ASCII, and no longer than intake takes."""
    assert check_key(idempotency_key(*words))


def test_long_keys_stay_apart() -> None:
    """What is cut off is in the hash."""
    one, other = (idempotency_key("log", "x" * 500 + end) for end in ("a", "b"))
    assert one != other
    assert one == idempotency_key("log", "x" * 500 + "a")


def test_parts_do_not_run_together() -> None:
    """A slash within a part is no border between parts."""
    assert idempotency_key("a/b", "c") != idempotency_key("a", "b/c")


def test_dossier_ids_tell_their_instant_and_their_words() -> None:
    """Version 7 of RFC 9562, milliseconds first; the same words at the same instant are the same dossier."""
    found = dossier_id(AT, "log", "c1")
    assert (found.version, found.variant) == (7, "specified in RFC 4122")
    assert found.int >> 80 == int(AT.timestamp() * 1000)
    assert found == dossier_id(AT, "log", "c1")
    assert len({found, dossier_id(AT, "log", "c2"), dossier_id(AT + timedelta(days=1), "log", "c1")}) == 3


def test_instants_travel_in_utc() -> None:
    """Whatever their offset; one without is refused."""
    assert utc(AT.astimezone(timezone(timedelta(hours=7)))) == "2017-05-11T01:02:03.456789Z"
    with pytest.raises(ValueError, match="has no offset"):
        utc(AT.replace(tzinfo=None))


def test_doers_are_named_as_intake_knows_them() -> None:
    """Only what is known is said."""
    assert Doer(id="clerk-3", role="clerk", counter=3).named() == {
        "kind": "person",
        "id": "clerk-3",
        "role": "clerk",
        "counter": 3,
    }
    assert Doer(id="log", role="clerk", system=True).named() == {"kind": "system", "id": "log", "role": "clerk"}
