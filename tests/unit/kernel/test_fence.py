"""The fence classifies one record by sequence and epoch."""

import pytest

from shared.kernel.fence import Classification, Fence, classify


@pytest.mark.parametrize(
    ("sequence", "epoch", "expected"),
    [
        (4, 2, Classification.NEXT),
        (4, 3, Classification.NEXT),  # the producer was restored and continues the sequence
        (3, 2, Classification.DUPLICATE),
        (1, 1, Classification.DUPLICATE),  # a copy from an earlier epoch
        (5, 2, Classification.GAP),
        (9, 7, Classification.GAP),
        (3, 3, Classification.FORK),  # a later epoch uses this sequence again
        (4, 1, Classification.FORK),  # an earlier epoch continues
        (7, 1, Classification.FORK),
    ],
)
def test_record_after_sequence_3_of_epoch_2_is_classified(sequence: int, epoch: int, expected: Classification) -> None:
    """The next sequence is NEXT, an earlier one DUPLICATE, a later one GAP; a contradiction of epochs is FORK."""
    assert classify(Fence(3, 2), sequence, epoch) is expected


@pytest.mark.parametrize(("sequence", "expected"), [(1, Classification.NEXT), (2, Classification.GAP)])
def test_first_record_of_a_key_has_sequence_1_in_any_epoch(sequence: int, expected: Classification) -> None:
    """Before the first record, sequence 1 is NEXT in any epoch of the producer."""
    assert classify(Fence(), sequence, 1_700_000_000) is expected
