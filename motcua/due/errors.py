"""The error that `motcua due` reports for a case. The slugs are part of the public interface (docs/deadlines.md)."""

from typing import Literal

from shared.kernel.errors import MotcuaError

Slug = Literal[
    "line-too-long",
    "not-utf8",
    "not-json",
    "member-missing",
    "member-unknown",
    "member-invalid",
    "time-naive",
    "time-invalid",
    "calendar-unknown",
    "calendar-invalid",
    "term-invalid",
    "pause-invalid",
    "pauses-overlap",
    "extension-invalid",
    "extension-refused",
    "known-before-receipt",
    "no-working-time",
    "outside-calendar",
]


class CaseError(MotcuaError):
    """A case for which no due date can be calculated.

    `type`, one of the slugs, never changes for a kind of error; `detail` is a sentence for people.
    """

    def __init__(self, slug: Slug, detail: str) -> None:
        super().__init__(detail)
        self.type = slug
        self.detail = detail
