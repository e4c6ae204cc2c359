"""Tallies and courses as bytes on the changelog topics: JSON arrays, short since there are many."""

import json
from typing import Any

from services.ops.counting import CourseKey
from services.ops.domain.courses import Course
from services.ops.domain.tallies import Key, Tally


def key_bytes(key: Key | CourseKey) -> bytes:
    """A table's key."""
    return _dumped(list(key))


def read_key(value: bytes) -> Key:
    """A tally's key. Raises ValueError for anything else."""
    view, partition, window, what = json.loads(value)
    return Key(view, partition, window, tuple(what))


def tally_bytes(tally: Tally) -> bytes:
    """A tally's value."""
    if not tally.buckets:
        return _dumped([tally.offset, tally.count])
    return _dumped([tally.offset, tally.count, tally.seconds, tally.buckets])


def read_tally(value: bytes) -> Tally:
    """The same back. Raises ValueError for anything else."""
    offset, count, *more = json.loads(value)
    if not more:
        return Tally(offset, count)
    seconds, buckets = more
    return Tally(offset, count, seconds, {int(bucket): times for bucket, times in buckets.items()})


def course_bytes(course: Course) -> bytes:
    """A course's value."""
    plain = [course.sequence, course.stage, course.entered_at, course.paused]
    return _dumped(plain if course.pause is None else [*plain, course.pause, course.paused_at])


def read_course(value: bytes) -> Course:
    """The same back. Raises ValueError or TypeError for anything else."""
    return Course(*json.loads(value))


def _dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
