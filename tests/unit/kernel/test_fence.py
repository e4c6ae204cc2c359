"""The fence: how one record reads, by sequence and epoch."""

import pytest

from shared.kernel.fence import Fence, Reading, read


@pytest.mark.parametrize(
    ("sequence", "epoch", "reading"),
    [
        (4, 2, Reading.NEXT),
        (4, 3, Reading.NEXT),  # the writer was restored in between and goes on
        (3, 2, Reading.DUPLICATE),
        (1, 1, Reading.DUPLICATE),  # a copy from an earlier life
        (5, 2, Reading.GAP),
        (9, 7, Reading.GAP),
        (3, 3, Reading.FORK),  # a later life tells this sequence again
        (4, 1, Reading.FORK),  # an earlier life goes on
        (7, 1, Reading.FORK),
    ],
)
def test_a_record_after_3_of_epoch_2(sequence: int, epoch: int, reading: Reading) -> None:
    """Next takes effect, a duplicate is dropped, a gap waits, a fork is put to an operator."""
    assert read(Fence(3, 2), sequence, epoch) is reading


@pytest.mark.parametrize(("sequence", "reading"), [(1, Reading.NEXT), (2, Reading.GAP)])
def test_before_the_first_record_sequence_1_is_next(sequence: int, reading: Reading) -> None:
    """Whatever the writer's epoch is."""
    assert read(Fence(), sequence, 1_700_000_000) is reading
