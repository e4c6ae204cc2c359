"""Why a line is answered by an error. The slugs are a promise: docs/deadlines.md lists them."""

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
    """A case that is not answered by a due date. `type` is stable, `detail` is a sentence for people."""

    def __init__(self, slug: Slug, detail: str) -> None:
        super().__init__(detail)
        self.type = slug
        self.detail = detail
