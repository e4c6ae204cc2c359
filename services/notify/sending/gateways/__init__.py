"""Gateways to providers: one protocol, with an SMTP relay and an HTTP SMS provider behind it."""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from services.notify.domain.delivery import Answer, Capabilities

SINK = "motcua sink"
"""The name by which an embedded provider identifies itself: it delivers nothing to anyone."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message with its address, which exist together only at the moment of sending. `subject` is None for an SMS."""

    message_id: UUID
    address: str = field(repr=False)
    text: str = field(repr=False)
    subject: str | None = field(default=None, repr=False)


class Gateway(Protocol):
    """A provider. `send` and `query` do not raise for failures of the provider: every outcome is an answer."""

    @property
    def capabilities(self) -> Capabilities:
        """What this provider offers."""
        ...

    async def send(self, message: Outgoing) -> Answer:
        """Hand the message over. Waits for the provider, up to the gateway's time limit."""
        ...

    async def query(self, message_id: UUID) -> Answer:
        """Whether the provider has the message; `NotAccepted` if it has none with this id."""
        ...

    async def is_sink(self) -> bool:
        """Whether the provider identifies itself as a sink. Raises OSError while it does not answer."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
