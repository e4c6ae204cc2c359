"""The ways out: one protocol, an SMTP relay and an HTTP SMS gateway."""

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from services.notify.domain.delivery import Answer, Capabilities

SINK = "motcua sink"
"""What an embedded provider calls itself: nothing that it takes reaches anybody."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message with its address, for the moment of sending only. `subject` is None for an SMS."""

    message_id: UUID
    address: str = field(repr=False)
    text: str = field(repr=False)
    subject: str | None = field(default=None, repr=False)


class Gateway(Protocol):
    """A provider. Neither method raises for what a provider may do: every outcome is an answer."""

    @property
    def can(self) -> Capabilities:
        """What this provider offers."""
        ...

    async def send(self, message: Outgoing) -> Answer:
        """Hand the message over. Waits for the provider, within the gateway's time limit."""
        ...

    async def ask(self, message_id: UUID) -> Answer:
        """Whether the provider took the message; `NotTaken` if it knows none of that id."""
        ...

    async def is_sink(self) -> bool:
        """Whether the provider says of itself that it passes nothing on. Raises OSError while nobody answers."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
