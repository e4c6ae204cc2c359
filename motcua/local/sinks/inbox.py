"""The inbox: the messages that applicants received, which the sinks append to JSON Lines files in MOTCUA_HOME."""

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxMessage:
    """One message that a sink stored: one line of an inbox file. A message to two recipients is two of them.

    `at` is machine time (UTC, ISO 8601). `parts` is the number of parts of an SMS.
    """

    channel: Literal["sms", "email"]
    at: str
    to: str
    sender: str
    text: str
    message_id: str
    subject: str | None = None
    parts: int = 1


class Inbox:
    """The inbox files in `<home>/inbox`: one per channel, each written by one sink."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "inbox"

    def append(self, message: InboxMessage) -> None:
        """Append a message to the file of its channel. Blocks until it is on disk (fsync)."""
        self._folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(message), ensure_ascii=False) + "\n"
        with open(self._file(message.channel), "a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def messages(self, channel: Literal["sms", "email"]) -> Iterator[InboxMessage]:
        """Read all messages of a channel, oldest first, without an incomplete last line. A missing file is empty."""
        try:
            content = self._file(channel).read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        for line in content.splitlines(keepends=True):
            if line.endswith("\n"):
                yield InboxMessage(**json.loads(line))

    def _file(self, channel: str) -> Path:
        return self._folder / f"{channel}.jsonl"


def read_inbox(
    home: Path, *, addresses: Collection[str] | None = None, message_ids: Collection[str] | None = None
) -> list[InboxMessage]:
    """Read the messages of both channels, oldest first.

    If given, only those to one of `addresses` (E.164 or e-mail) and with one of `message_ids`; notify lists the message
    ids of a dossier at `GET /dossiers/{id}/messages`.
    """
    inbox = Inbox(home)
    found = [
        message
        for channel in ("sms", "email")
        for message in inbox.messages(channel)
        if (addresses is None or message.to in addresses) and (message_ids is None or message.message_id in message_ids)
    ]
    return sorted(found, key=lambda message: message.at)
