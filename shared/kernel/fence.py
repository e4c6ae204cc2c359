"""The fence: how a reader judges one record of a dossier by sequence and epoch. Pure; checked by the delivery model."""

from enum import Enum
from typing import NamedTuple


class Fence(NamedTuple):
    """What took effect last for one key on one topic. `quarantined`: records of it wait in the quarantine table."""

    sequence: int = 0
    epoch: int = 0
    quarantined: bool = False


class Reading(Enum):
    """What a record is, seen from the fence."""

    NEXT = "next"
    DUPLICATE = "duplicate"
    GAP = "gap"
    FORK = "fork"


def read(fence: Fence, sequence: int, epoch: int) -> Reading:
    """Judge a record: its predecessor must have taken effect, and no later life of its writer may have spoken."""
    if sequence <= fence.sequence:
        return Reading.FORK if epoch > fence.epoch else Reading.DUPLICATE
    if epoch < fence.epoch:
        return Reading.FORK
    return Reading.NEXT if sequence == fence.sequence + 1 else Reading.GAP
