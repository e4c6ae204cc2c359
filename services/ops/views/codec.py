"""Encode and decode the entries of the changelog topics: compact JSON arrays, because there are many entries."""

import json
from typing import Any

from services.ops.domain.courses import Course
from services.ops.domain.tallies import Tally, TallyKey
from services.ops.views.handlers import CourseKey


def encode_key(key: TallyKey | CourseKey) -> bytes:
    """Return the key of a tally or course as JSON."""
    return _dumps(list(key))


def decode_tally_key(value: bytes) -> TallyKey:
    """Return the key of a tally from JSON. Raises ValueError or TypeError if `value` is something else."""
    view, partition, window, labels = json.loads(value)
    return TallyKey(view, partition, window, tuple(labels))


def encode_tally(tally: Tally) -> bytes:
    """Return a tally as JSON."""
    if not tally.buckets:
        return _dumps([tally.offset, tally.count])
    return _dumps([tally.offset, tally.count, tally.seconds, tally.buckets])


def decode_tally(value: bytes) -> Tally:
    """Return a tally from JSON. Raises ValueError or TypeError if `value` is something else."""
    offset, count, *durations = json.loads(value)
    if not durations:
        return Tally(offset, count)
    seconds, buckets = durations
    return Tally(offset, count, seconds, {int(bucket): times for bucket, times in buckets.items()})


def encode_course(course: Course) -> bytes:
    """Return the course of a dossier as JSON."""
    plain = [course.sequence, course.stage, course.entered_at, course.paused]
    return _dumps(plain if course.pause is None else [*plain, course.pause, course.paused_at])


def decode_course(value: bytes) -> Course:
    """Return the course of a dossier from JSON. Raises ValueError or TypeError if `value` is something else."""
    return Course(*json.loads(value))


def version_of(value: bytes | None) -> int:
    """Return the number by which values of the same key are ordered: a tally's offset or a course's sequence.

    `value` is JSON; -1 without a value.
    """
    return int(json.loads(value)[0]) if value else -1


def _dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
