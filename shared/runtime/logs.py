"""Logs: one JSON object per line, for our code and for libraries, without personal data and limited in rate.

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
    """Logging filter: of equal lines, only the first `burst` in each `window_seconds` pass.

    The first line after the window has the number of suppressed lines. Lines are equal if logger, level and message
    template are. Example: without a broker, aiokafka logs 1,600 lines in 17 seconds. Lines of our own code below the
    level warning always pass, because each is one act or request.
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
        message: Any = record.msg  # structlog passes its event as a dict
        is_own = isinstance(message, dict)
        if is_own and record.levelno < logging.WARNING:
            return True
        key = (record.name, record.levelno, str(message.get("event") if is_own else message))
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
    """Set up logging: this process writes its log lines from `level` on as JSON to `stream` (default: standard output).

    Each line has the service's name and the fields in `bound`, such as the replica's `member`. Replaces an earlier
    set-up.
    """

    def stamp(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("service", service)
        for key, value in bound.items():
            event.setdefault(key, value)
        return event

    def add_suppressed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
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
                add_suppressed,
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
    # our code logs each request once; httpx would log its URL, which may contain a code
    for noisy in ("uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def redacted(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor of structlog: replace personal data in the log event and return it. Runs last before rendering."""
    event.update({key: redact(value, key) for key, value in event.items()})
    return event
