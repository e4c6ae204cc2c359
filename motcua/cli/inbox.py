"""`motcua inbox`: what each applicant got, from the sinks' files; for one dossier by the ids that notify tells."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from motcua.local.keys import read_tokens
from motcua.local.processes import http_ports
from motcua.local.sinks.inbox import InboxMessage, read_inbox
from shared.kernel.errors import ExpectedError, StartError


def messages(home: Path, http_port: int, dossier: str | None) -> list[InboxMessage]:
    """All messages, or those of one dossier (its id or its code), oldest first.

    One dossier needs the running services. Raises StartError when they do not answer, Refusal when they refuse.
    """
    if dossier is None:
        return read_inbox(home)
    token = read_tokens(home).get("AUDITOR")
    if token is None:
        raise StartError(f"There are no keys in {home}: `motcua up` makes them.")
    ports = http_ports(http_port)
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=10.0, trust_env=False) as http:
        dossier_id = _id_of(http, ports["intake"], dossier)
        told = _get(http, ports["notify"], f"/dossiers/{dossier_id}/messages")
    ids = {str(message["message_id"]) for message in told["items"]}
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
        raise StartError(f"The service on port {port} does not answer: is `motcua up` running?") from error
    if not answer.is_success:
        raise ExpectedError("refused", str(content.get("detail", answer.status_code)), status=answer.status_code)
    return content


def told(found: Iterable[InboxMessage], zone: ZoneInfo) -> Iterator[str]:
    """Each message as its receiver sees it, and when, in the centre's own time."""
    for message in found:
        parts = f", {message.parts} parts" if message.parts > 1 else ""
        at = datetime.fromisoformat(message.at).astimezone(zone)
        yield f"{at:%Y-%m-%d %H:%M:%S}  {message.channel} to {message.to} from {message.sender}{parts}"
        if message.subject:
            yield f"  {message.subject}"
        yield from (f"  {line}" for line in message.text.splitlines())
        yield ""
