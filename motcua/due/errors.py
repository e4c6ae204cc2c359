"""The error of one case. The values of `type` (Slug) are a public interface, listed in docs/deadlines.md."""

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
    """A case for which no due date can be calculated. `type` is a stable slug for programs, `detail` a sentence."""

    def __init__(self, slug: Slug, detail: str) -> None:
        super().__init__(detail)
        self.type = slug
        self.detail = detail
