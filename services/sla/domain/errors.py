"""Failures of sla's rules: refusals of requests, and errors of a derivation."""

from shared.kernel.errors import MotcuaError, Refusal


class CalendarNotFoundError(Refusal):
    """Calendar {name!r} not found."""


class ProposalOvertakenError(Refusal):
    """The proposal was made for version {base_version} of calendar {name}, whose present version is {version}.
    Reject it and rehearse a new proposal."""


class NotReceivedError(Refusal):
    """The dossier is not received yet, so it has no clock."""


class NotKnownError(Refusal):
    """Nothing was known about the clock at {instant}: {why}."""


class ClockError(MotcuaError):
    """The changes of a clock contradict each other, so no due date can be derived from them."""


class ExtensionRefusedError(MotcuaError):
    """The rules do not allow the extension: made after the due date, to a day off, or to a date that is not later."""
