"""Apply delivery receipts to their messages."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from services.notify.domain.errors import MessageNotFoundError
from services.notify.domain.message import Message
from services.notify.receipts.schemas import Receipt, ReceiptsTaken, ReceiptTaken
from services.notify.sending.group_commit import GroupCommit
from services.notify.sending.outcome_events import publish_outcome, store
from services.notify.tables import DossierRow
from shared.kernel.clock import Clock
from shared.postgres.unit_of_work import Unit


async def apply_receipts(group_commit: GroupCommit, clock: Clock, receipts: Sequence[Receipt]) -> ReceiptsTaken:
    """Apply each delivery receipt independently of the others, commit, and return the results.

    A repeated receipt changes nothing; an unknown message is listed in the result. If a receipt could not be stored,
    its error is raised after all others were processed.
    """
    results = await asyncio.gather(
        *(group_commit.update(one.message_id, partial(_apply, clock, one)) for one in receipts), return_exceptions=True
    )
    answer = ReceiptsTaken(taken=[], unknown=[])
    for one, result in zip(receipts, results, strict=True):
        if isinstance(result, MessageNotFoundError):
            answer.unknown.append(one.message_id)
        elif isinstance(result, BaseException):
            raise result
        else:
            answer.taken.append(ReceiptTaken(message_id=one.message_id, news=result))
    return answer


def _apply(clock: Clock, receipt: Receipt, message: Message, unit: Unit[DossierRow], _: datetime) -> bool:
    """Apply a delivery receipt to its locked message, publish the outcome, and return whether the message changed."""
    delivered = receipt.status == "delivered"
    if not message.accepts_receipt(delivered=delivered):
        return False
    now = clock.at_due(message.not_before)
    if not message.is_closed:  # the receipt arrived before the provider's answer, and proves what that would prove
        message.mark_sent()
        publish_outcome(message, unit, now=now)
    if delivered:
        message.mark_delivered()
    else:
        message.mark_failed("undelivered")
    publish_outcome(message, unit, now=now)
    store(message, unit)
    return True
