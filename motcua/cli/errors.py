"""Failures of the commands, each with a message that names the remedy. Exit status 1."""

from shared.kernel.errors import MotcuaError


class PlaceInvalidError(MotcuaError):
    """The text does not name a record on Kafka."""


class ServiceUnknownError(MotcuaError):
    """No service of this name has quarantined records."""


class RecordNotQuarantinedError(MotcuaError):
    """The service has no quarantined record at this place."""


class RequestRefusedError(MotcuaError):
    """A service of the centre refused the request; the message is the service's own."""
