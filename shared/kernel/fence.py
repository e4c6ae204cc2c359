"""The fence of a key: whether a record may take effect, decided from its sequence and epoch alone.

Pure: no I/O.
"""

from enum import Enum
from typing import NamedTuple


class Fence(NamedTuple):
    """Sequence and epoch of the last record that took effect for one key on one topic; 0 before the first one.

    `quarantined` is true while the quarantine table contains records of that key and topic.
    """

    sequence: int = 0
    epoch: int = 0
    quarantined: bool = False


class Classification(Enum):
    """How a record relates to the fence of its key.

    NEXT: the record takes effect. DUPLICATE: it took effect before and is dropped. GAP: a record before it is missing.
    FORK: it contradicts the history that took effect, because its producer was restored from a backup.
    """

    NEXT = "next"
    DUPLICATE = "duplicate"
    GAP = "gap"
    FORK = "fork"


def classify(fence: Fence, sequence: int, epoch: int) -> Classification:
    """Return how a record with this sequence and epoch relates to `fence`; `fence.quarantined` has no influence.

    A sequence is old if it is not above the fence's. NEXT: the sequence is the fence's plus one, and the epoch is not
    older than the fence's. FORK: an old sequence with a newer epoch, or a new sequence with an older epoch. DUPLICATE:
    any other old sequence. GAP: any other new sequence.
    """
    if sequence <= fence.sequence:
        return Classification.FORK if epoch > fence.epoch else Classification.DUPLICATE
    if epoch < fence.epoch:
        return Classification.FORK
    return Classification.NEXT if sequence == fence.sequence + 1 else Classification.GAP
