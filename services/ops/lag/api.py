"""The HTTP route of the lag report."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.ops.access import Viewer
from services.ops.lag.sampler import Sampler
from services.ops.lag.schemas import LagReport
from shared.kernel.errors import TransientError
from shared.service.provided import provided

router = APIRouter(tags=["lag"])


@router.get("/lag")
async def lag(_: Viewer, sampler: Annotated[Sampler, Depends(provided(Sampler))]) -> LagReport:
    """Report the lag of every consumer group, and the outbox and quarantined records of every service.

    The document is from the latest samples and has the form of `motcua lag --json`. 503 until the first sample.
    """
    report = sampler.report()
    if report is None:
        raise TransientError(sampler.error or "No sample of the lag has been read yet. Retry in a moment.")
    return report
