"""Logs: one JSON object a line, ours and the libraries' alike, without personal data and without floods.

Use: `log = structlog.get_logger(__name__)`, `log.warning(RECORD_PARKED, topic=…)`; ids that hold for a whole request
or record are bound once with `structlog.contextvars.bound_contextvars(...)`.
"""

import logging
import sys
import time
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from shared.runtime.redaction import redact


class RateLimit(logging.Filter):
    """Lets `burst` equal lines pass in `window_seconds`; the next that passes tells how many were kept back.

    Equal are lines of one logger, level and message before its values are filled in. aiokafka writes 1,600 lines in
    17 seconds of a lost broker. Our own lines below warning pass always: each is one act or request.
    """

    def __init__(
        self, *, burst: int = 10, window_seconds: float = 10.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._burst = burst
        self._window_seconds = window_seconds
        self._monotonic = monotonic
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}  # key -> (window's start, lines in it)

    def filter(self, record: logging.LogRecord) -> bool:
        message: Any = record.msg  # structlog hands its event over as a dict
        ours = isinstance(message, dict)
        if ours and record.levelno < logging.WARNING:
            return True
        key = (record.name, record.levelno, str(message.get("event") if ours else message))
        now = self._monotonic()
        start, count = self._seen.get(key, (now, 0))
        if now - start >= self._window_seconds:
            if count > self._burst:
                record.suppressed = count - self._burst
            start, count = now, 0
        self._seen[key] = (start, count + 1)
        if len(self._seen) > 1000:
            self._seen = {key: seen for key, seen in self._seen.items() if now - seen[0] < self._window_seconds}
        return count < self._burst


def configure(service: str, level: str = "info", stream: TextIO | None = None, **bound: str) -> None:
    """Write every log line of this process to `stream` (standard output) as JSON, stamped with the service's name.

    `bound` are further fields of each line, such as the replica's `member`.
    """

    def stamp(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        for key, value in bound.items():
            event.setdefault(key, value)
        return event

    def kept_back(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        record = event.get("_record")
        if record is not None and hasattr(record, "suppressed"):
            event["suppressed"] = record.suppressed
        return event

    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        stamp,
    ]
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a later configure (a test, a child command) must take effect
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.addFilter(RateLimit())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[
                kept_back,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redacted,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # one line a request is ours; httpx would write each address, and an address may hold a code
    for noisy in ("uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def redacted(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The processor that takes personal data out, last before a line is written."""
    event.update({key: redact(value, key) for key, value in event.items()})
    return event
