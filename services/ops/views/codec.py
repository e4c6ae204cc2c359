"""Encode and decode the entries of the changelog topics: compact JSON arrays, because there are many entries."""

import json
from typing import Any

from pydantic import TypeAdapter

from services.ops.domain.courses import Course
from services.ops.domain.tallies import Tally, TallyKey
from services.ops.views.handlers import CourseKey

_TALLY: TypeAdapter[tuple[int, int] | tuple[int, int, float, dict[int, int]]] = TypeAdapter(
    tuple[int, int] | tuple[int, int, float, dict[int, int]]
)


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
    """Return the tally that `encode_tally` wrote as JSON. Raises ValueError if `value` is something else."""
    return Tally(*_TALLY.validate_json(value))


def encode_course(course: Course) -> bytes:
    """Return the course of a dossier as JSON."""
    plain = [course.sequence, course.stage, course.entered_at, course.paused]
    return _dumps(plain if course.pause is None else [*plain, course.pause, course.paused_at])


def decode_course(value: bytes) -> Course:
    """Return the course of a dossier that `encode_course` wrote as JSON. The types of its members are not checked."""
    return Course(*json.loads(value))


def version_of(value: bytes | None) -> int:
    """Return the number by which values of the same key are ordered: a tally's offset or a course's sequence.

    `value` is JSON; -1 without a value.
    """
    return int(json.loads(value)[0]) if value else -1


def _dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
