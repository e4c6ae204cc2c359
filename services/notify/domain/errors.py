"""Refusals of notify, and the error of a state change that a message does not allow."""

from shared.kernel.errors import MotcuaError, Refusal


class MessageNotFoundError(Refusal):
    """Message not found."""


class UnauthorizedError(Refusal):
    """Send the key for delivery receipts: Authorization: Bearer <key>."""


class StateTransitionError(MotcuaError):
    """A message was changed in a way that its state does not allow: an error of the program, not of a client."""
