"""Expected failures of the commands: the command prints the message and ends with exit status 1."""

from shared.kernel.errors import MotcuaError


class PlaceInvalidError(MotcuaError):
    """The text is not the position of a Kafka record, topic/partition/offset."""


class ServiceUnknownError(MotcuaError):
    """No service with a quarantine table has this name."""


class RecordNotQuarantinedError(MotcuaError):
    """The service has no quarantined record with this topic, partition and offset."""


class RowInvalidError(MotcuaError):
    """The text is not the name of a row, table/key."""


class RowNotSetAsideError(MotcuaError):
    """The service has not set aside a row with this table and key."""


class RequestRefusedError(MotcuaError):
    """A service of the centre refused an HTTP request of the command; the message is the one that the service sent."""
