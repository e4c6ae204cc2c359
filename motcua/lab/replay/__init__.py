"""`motcua replay`: an event log read and checked whole, played through a centre of its own, verified, and compared."""

from motcua.lab.replay.reading import drafted, planned, told

__all__ = ["drafted", "planned", "told"]
