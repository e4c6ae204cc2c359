"""Gateways to the providers that transmit messages: the protocol that the SMTP and the SMS gateway implement."""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from services.notify.domain.delivery import Answer, Capabilities

SINK = "motcua sink"
"""The name by which an embedded provider identifies itself: it delivers nothing to anyone."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message's final text and address for the provider, in memory only. `subject` is None for an SMS."""

    message_id: UUID
    address: str = field(repr=False)
    text: str = field(repr=False)
    subject: str | None = field(default=None, repr=False)


class Gateway(Protocol):
    """Client of one provider. `send` and `query` return every failure of the provider as an answer and do not raise."""

    @property
    def capabilities(self) -> Capabilities:
        """What this provider offers to find out or prevent that a message is sent twice."""
        ...

    async def send(self, message: Outgoing) -> Answer:
        """Send the message and return the provider's answer.

        A failure or the time limit is also an answer, never an exception.
        """
        ...

    async def query(self, message_id: UUID) -> Answer:
        """Ask the provider whether it has the message: `Accepted` if so, `NotAccepted` if it has none with this id.

        `NoAnswer` if the provider does not answer, or offers no status query.
        """
        ...

    async def is_sink(self) -> bool:
        """Ask whether the provider is a sink, which delivers nothing. Raises OSError if it does not answer."""
        ...

    async def close(self) -> None:
        """Close the connections to the provider."""
        ...
