"""`motcua replay`: an event log read and checked whole, played through a centre of its own, verified, and compared."""

from motcua.lab.replay.input import drafted, planned, told

__all__ = ["drafted", "planned", "told"]
