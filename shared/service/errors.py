"""Refusals of the HTTP layer itself, raised before a handler gets the request or instead of the handler's answer."""

from http import HTTPStatus

from shared.kernel.errors import Refusal


class UnauthorizedError(Refusal):
    """Send a valid API key: `Authorization: Bearer <key>`."""


class UnreadableAddressError(Refusal):
    """The address contains the character NUL."""


class UnreadableBodyError(Refusal):
    """The body cannot be read."""


class UnsupportedMediaTypeError(Refusal):
    """This address accepts {accepted}."""


class TooLargeError(Refusal):
    """The body is larger than {limit} bytes."""


class BodyStalledError(Refusal):
    """The body did not arrive within {seconds:g} s."""


class NotFoundError(Refusal):
    """No resource at this address."""


class MethodNotAllowedError(Refusal):
    """The address does not support this method."""


class UnavailableError(Refusal):
    """The database or the broker is not available. Nothing was stored; send the request again."""


class InternalError(Refusal):
    """Unexpected error. Report the request id {request_id} to the operators."""


class FrameworkRefusal(Refusal):
    """The web framework rejected the request with a status that has no refusal class."""

    def __init__(self, status: int, detail: str | None) -> None:
        phrase = HTTPStatus(status).phrase
        super().__init__(detail or f"{phrase}.")
        self.name = phrase.lower().replace(" ", "-")  # type: ignore[misc]  # follows from the status, not from the class
        self.status = status
