"""What applicants got: append-only lines of JSON under MOTCUA_HOME, written by the sinks, read by `motcua inbox`."""

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxMessage:
    """One message in somebody's hands. `at` is machine time (UTC, ISO 8601); a message sent twice stands here twice."""

    channel: Literal["sms", "email"]
    at: str
    to: str
    sender: str
    text: str
    message_id: str
    subject: str | None = None
    parts: int = 1


class Inbox:
    """The files below `<home>/inbox`, one a channel; one writer each."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "inbox"

    def append(self, message: InboxMessage) -> None:
        """Keep a message; on disk when this returns. Blocks for the disk."""
        self._folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(message), ensure_ascii=False) + "\n"
        with open(self._file(message.channel), "a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def messages(self, channel: Literal["sms", "email"]) -> Iterator[InboxMessage]:
        """Everything kept on a channel, oldest first. A last line that is still being written is left out."""
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
    """What lies in the inbox, oldest first: all, or what went to `addresses` (E.164 or e-mail), or has `message_ids`.

    The ids of a dossier's messages are notify's to say: `GET /dossiers/{id}/messages`.
    """
    inbox = Inbox(home)
    found = [
        message
        for channel in ("sms", "email")
        for message in inbox.messages(channel)
        if (addresses is None or message.to in addresses) and (message_ids is None or message.message_id in message_ids)
    ]
    return sorted(found, key=lambda message: message.at)
