"""The fence: decides from sequence and epoch how one record of a key relates to what already took effect.

Pure. The delivery model explores this rule exhaustively.
"""

from enum import Enum
from typing import NamedTuple


class Fence(NamedTuple):
    """The last record that took effect for one key on one topic.

    `quarantined` is true while the quarantine table contains records of that key and topic.
    """

    sequence: int = 0
    epoch: int = 0
    quarantined: bool = False


class Classification(Enum):
    """How a record relates to the fence.

    NEXT takes effect. DUPLICATE took effect before and is dropped. GAP: a predecessor is missing. FORK: the record
    contradicts the history that took effect, because its producer was restored from a backup.
    """

    NEXT = "next"
    DUPLICATE = "duplicate"
    GAP = "gap"
    FORK = "fork"


def classify(fence: Fence, sequence: int, epoch: int) -> Classification:
    """Classify a record: NEXT follows the fence without a gap and is not from an earlier epoch of its producer."""
    if sequence <= fence.sequence:
        return Classification.FORK if epoch > fence.epoch else Classification.DUPLICATE
    if epoch < fence.epoch:
        return Classification.FORK
    return Classification.NEXT if sequence == fence.sequence + 1 else Classification.GAP
