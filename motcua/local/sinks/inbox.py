"""The messages that applicants received: append-only JSON lines in MOTCUA_HOME, written by the sinks."""

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxMessage:
    """One delivered message. `at` is machine time (UTC, ISO 8601). A message that is sent twice is stored twice."""

    channel: Literal["sms", "email"]
    at: str
    to: str
    sender: str
    text: str
    message_id: str
    subject: str | None = None
    parts: int = 1


class Inbox:
    """The files in `<home>/inbox`: one per channel, each with one writer."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "inbox"

    def append(self, message: InboxMessage) -> None:
        """Store a message durably. Blocks until it is on disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(message), ensure_ascii=False) + "\n"
        with open(self._file(message.channel), "a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def messages(self, channel: Literal["sms", "email"]) -> Iterator[InboxMessage]:
        """All messages of a channel, oldest first, without a last line that is still being written."""
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
    """Messages in the inbox, oldest first; if given, only those to `addresses` (E.164 or e-mail) or with `message_ids`.

    notify lists the message ids of a dossier: `GET /dossiers/{id}/messages`.
    """
    inbox = Inbox(home)
    found = [
        message
        for channel in ("sms", "email")
        for message in inbox.messages(channel)
        if (addresses is None or message.to in addresses) and (message_ids is None or message.message_id in message_ids)
    ]
    return sorted(found, key=lambda message: message.at)
