"""Refusals of ops."""

from shared.kernel.errors import Refusal


class UnauthorizedError(Refusal):
    """You are not signed in. Open / and sign in with an API key."""
