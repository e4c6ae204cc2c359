"""Waiting until a centre has come to rest: nothing behind, nothing unsent, in two looks one after the other."""

import time
from collections.abc import Callable

import psycopg

from motcua import lag
from shared.kernel.errors import MotcuaError
from shared.messaging.lag import Place

_LOOK_SECONDS = 0.3


class NotQuietError(MotcuaError):
    """The services did not come to rest in time; the message says who is behind."""


def wait_until_quiet(
    bootstrap: str, verify_url: str, *, within_seconds: float, stop_asked: Callable[[], bool] = lambda: False
) -> None:
    """Block until every outbox is empty, every group has applied all and no message waits for its outcome, twice in a
    row at the same ends: what one look misses between its readings moves an end before the next.

    Raises NotQuietError after `within_seconds`, StartError when database or broker does not answer.
    """
    deadline = time.monotonic() + within_seconds
    before: dict[Place, int] | None = None
    while not stop_asked():
        reading = lag.read(bootstrap, verify_url)
        at_work = _at_work(reading, verify_url)
        ends = {(one.topic, one.partition): one.end for one in reading.lags}
        if not at_work and ends == before:
            return
        if time.monotonic() > deadline:
            raise NotQuietError(
                f"after {within_seconds:.0f} s still at work: {'; '.join(at_work) or 'facts keep coming'}"
            )
        before = None if at_work else ends
        time.sleep(_LOOK_SECONDS)


def _at_work(reading: lag.Reading, verify_url: str) -> list[str]:
    found = [f"{one.group} is {one.behind} behind on {one.topic}" for one in reading.lags if one.behind]
    for service, backlog in reading.backlogs.items():
        if backlog.outbox:
            found.append(f"{service} has {backlog.outbox} facts to send to Kafka")
    with psycopg.connect(verify_url, connect_timeout=5) as connection:
        row = connection.execute("select count(*) from notify.messages where next_step is not null").fetchone()
    if row is not None and row[0]:
        found.append(f"notify has {row[0]} messages without an outcome")
    return found
