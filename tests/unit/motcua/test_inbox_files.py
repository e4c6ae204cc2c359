"""The files of the inbox: append-only, and readable during writing."""

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


def test_messages_are_read_in_order_of_time(tmp_path: Path) -> None:
    """Messages of both channels are read oldest first."""
    inbox = Inbox(tmp_path)
    late, early = message(at="2017-11-20T03:00:00+00:00"), message(message_id="b")
    inbox.append(late)
    inbox.append(early)
    assert read_inbox(tmp_path) == [early, late]


def test_messages_are_filtered_by_address_or_id(tmp_path: Path) -> None:
    """Messages can be selected by address, or by the ids that notify lists for a dossier."""
    inbox = Inbox(tmp_path)
    one, other = message(), message(to="+84912345678", message_id="b")
    inbox.append(one)
    inbox.append(other)
    assert read_inbox(tmp_path, addresses={"+84912345678"}) == [other]
    assert read_inbox(tmp_path, message_ids={"a"}) == [one]
    assert read_inbox(tmp_path, message_ids=set()) == []


def test_incomplete_line_is_ignored(tmp_path: Path) -> None:
    """A line that is still being written is not read."""
    inbox = Inbox(tmp_path)
    inbox.append(message())
    with open(tmp_path / "inbox" / "sms.jsonl", "a", encoding="utf-8") as file:
        file.write('{"channel": "sms", "at')
    assert len(read_inbox(tmp_path)) == 1


def test_missing_folder_is_an_empty_inbox(tmp_path: Path) -> None:
    """Without a home folder there are no messages."""
    assert read_inbox(tmp_path / "nowhere") == []


def test_message_time_is_shown_in_the_centre_zone() -> None:
    """01:00 UTC is shown as 08:00 in Vietnam."""
    first, *_ = describe([message()], ZoneInfo("Asia/Ho_Chi_Minh"))
    assert first == "2017-11-20 08:00:00  sms to +84381234567 from HCC"
