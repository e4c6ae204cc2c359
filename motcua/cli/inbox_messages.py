"""The messages that `motcua inbox` shows: read from the files of the sinks.

The files do not contain dossier ids, so the messages of one dossier are found by the message ids that notify lists.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from motcua.cli.errors import RequestRefusedError
from motcua.local.keys import read_tokens
from motcua.local.processes import http_ports
from motcua.local.sinks.inbox import InboxMessage, read_inbox
from shared.kernel.errors import StartError


def messages(home: Path, http_port: int, dossier: str | None) -> list[InboxMessage]:
    """Read all messages, or those of one dossier (its id or its code), oldest first.

    With `dossier`, intake and notify must run: raises StartError if they do not answer or if `home` has no API keys,
    RequestRefusedError if they refuse the request, for example for an unknown code.
    """
    if dossier is None:
        return read_inbox(home)
    token = read_tokens(home).get("AUDITOR")
    if token is None:
        raise StartError(f"No API keys in {home}. `motcua up` creates them; MOTCUA_HOME names another folder.")
    ports = http_ports(http_port)
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=10.0, trust_env=False) as http:
        dossier_id = _id_of(http, ports["intake"], dossier)
        listed = _get(http, ports["notify"], f"/dossiers/{dossier_id}/messages")
    ids = {str(message["message_id"]) for message in listed["items"]}
    return read_inbox(home, message_ids=ids)


def _id_of(http: httpx.Client, port: int, dossier: str) -> str:
    try:
        return str(UUID(dossier))
    except ValueError:
        return str(_get(http, port, "/dossiers", code=dossier)["dossier_id"])


def _get(http: httpx.Client, port: int, path: str, **query: str) -> dict[str, Any]:
    try:
        answer = http.get(f"http://127.0.0.1:{port}{path}", params=query)
        content: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise StartError(f"The service on port {port} does not answer. Start the centre with `motcua up`.") from error
    if not answer.is_success:
        raise RequestRefusedError(str(content.get("detail", answer.status_code)))
    return content


def describe(found: Iterable[InboxMessage], zone: ZoneInfo) -> Iterator[str]:
    """Yield the lines to print for the messages: time in `zone`, channel, addresses, subject and text of each."""
    for message in found:
        parts = f", {message.parts} parts" if message.parts > 1 else ""
        at = datetime.fromisoformat(message.at).astimezone(zone)
        yield f"{at:%Y-%m-%d %H:%M:%S}  {message.channel} to {message.to} from {message.sender}{parts}"
        if message.subject:
            yield f"  {message.subject}"
        yield from (f"  {line}" for line in message.text.splitlines())
        yield ""
