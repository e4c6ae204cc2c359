"""Encode tallies and courses for the changelog topics, as compact JSON arrays because there are many."""

import json
from typing import Any

from services.ops.domain.courses import Course
from services.ops.domain.tallies import Tally, TallyKey
from services.ops.views.handlers import CourseKey


def encode_key(key: TallyKey | CourseKey) -> bytes:
    """Encode a table's key."""
    return _dumps(list(key))


def decode_tally_key(value: bytes) -> TallyKey:
    """Decode the key of a tally. Raises ValueError or TypeError for anything else."""
    view, partition, window, labels = json.loads(value)
    return TallyKey(view, partition, window, tuple(labels))


def encode_tally(tally: Tally) -> bytes:
    """Encode a tally."""
    if not tally.buckets:
        return _dumps([tally.offset, tally.count])
    return _dumps([tally.offset, tally.count, tally.seconds, tally.buckets])


def decode_tally(value: bytes) -> Tally:
    """Decode a tally. Raises ValueError or TypeError for anything else."""
    offset, count, *durations = json.loads(value)
    if not durations:
        return Tally(offset, count)
    seconds, buckets = durations
    return Tally(offset, count, seconds, {int(bucket): times for bucket, times in buckets.items()})


def encode_course(course: Course) -> bytes:
    """Encode a course."""
    plain = [course.sequence, course.stage, course.entered_at, course.paused]
    return _dumps(plain if course.pause is None else [*plain, course.pause, course.paused_at])


def decode_course(value: bytes) -> Course:
    """Decode a course. Raises ValueError or TypeError for anything else."""
    return Course(*json.loads(value))


def version_of(value: bytes | None) -> int:
    """Return the number that only grows with each new value of a key: a tally's offset, a course's sequence."""
    return int(json.loads(value)[0]) if value else -1


def _dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
