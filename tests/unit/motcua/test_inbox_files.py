"""The inbox's files: append-only, readable while they are written."""

from pathlib import Path
from zoneinfo import ZoneInfo

from motcua.cli.inbox_messages import describe
from motcua.local.sinks.inbox import Inbox, InboxMessage, read_inbox


def message(**more: str) -> InboxMessage:
    usual = {
        "at": "2017-11-20T01:00:00+00:00",
        "to": "+84381234567",
        "sender": "HCC",
        "text": "Hồ sơ",
        "message_id": "a",
    }
    return InboxMessage(channel="sms", **(usual | more))  # type: ignore[arg-type]  # texts, all of them


def test_what_was_kept_is_read_again_in_order_of_time(tmp_path: Path) -> None:
    """From both channels, oldest first, also by another process."""
    inbox = Inbox(tmp_path)
    late, early = message(at="2017-11-20T03:00:00+00:00"), message(message_id="b")
    inbox.append(late)
    inbox.append(early)
    assert read_inbox(tmp_path) == [early, late]


def test_it_is_found_by_address_or_by_message(tmp_path: Path) -> None:
    """By where it went, or by the ids that notify tells of a dossier."""
    inbox = Inbox(tmp_path)
    one, other = message(), message(to="+84912345678", message_id="b")
    inbox.append(one)
    inbox.append(other)
    assert read_inbox(tmp_path, addresses={"+84912345678"}) == [other]
    assert read_inbox(tmp_path, message_ids={"a"}) == [one]
    assert read_inbox(tmp_path, message_ids=set()) == []


def test_a_line_that_is_being_written_is_not_there_yet(tmp_path: Path) -> None:
    """A reader never stumbles over a writer."""
    inbox = Inbox(tmp_path)
    inbox.append(message())
    with open(tmp_path / "inbox" / "sms.jsonl", "a", encoding="utf-8") as file:
        file.write('{"channel": "sms", "at')
    assert len(read_inbox(tmp_path)) == 1


def test_an_empty_home_has_an_empty_inbox(tmp_path: Path) -> None:
    """Nothing was sent yet."""
    assert read_inbox(tmp_path / "nowhere") == []


def test_people_see_when_in_the_centres_own_time() -> None:
    """01:00 UTC is eight in the morning in Vietnam."""
    first, *_ = describe([message()], ZoneInfo("Asia/Ho_Chi_Minh"))
    assert first == "2017-11-20 08:00:00  sms to +84381234567 from HCC"
