"""Refusals: the slug and HTTP status of each problem with its own members, and the problem document."""

from collections.abc import Iterator

from shared.kernel.errors import Refusal
from shared.service import problems
from tests.architecture.surface.names import members
from tests.architecture.tree import subclasses


def collect() -> Iterator[str]:
    """Yield slugs with statuses and extra members, and the members of the problem document."""
    for slug, kind in problems.KINDS.items():
        yield f"{slug} {kind.status}"
    for refusal in subclasses(Refusal, "shared", "services"):
        yield from (f"{refusal.name} {problems.KINDS[refusal.name].status} .{member}" for member in refusal.MEMBERS)
    yield from members(problems.Problem.model_json_schema(), "document ")
    yield f"media type {problems.MEDIA_TYPE}"
    yield f"type {problems.document(problems.invalid([]))['type'].removesuffix('invalid-content')}<slug>"
