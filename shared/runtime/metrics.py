"""Prometheus metrics: one registry per process, one naming scheme.

Names are `motcua_<part>_<what>_<unit>`. Counters end in `_total`; times are in seconds, sizes in bytes. Labels have few
values (a topic, a group, a route), never a dossier's id. A metric is a constant of the module that sets it.
"""

import re
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_NAME = re.compile(r"^motcua(_[a-z0-9]+){2,}$")


def _checked(name: str, *endings: str) -> str:
    if not _NAME.match(name) or (endings and not name.endswith(endings)):
        raise ValueError(
            f"{name}: the name of a metric is motcua_<part>_<what> and ends in {' or '.join(endings) or 'a unit'}"
        )
    return name


def counter(name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
    """Create and register a Prometheus counter. Raises ValueError unless the name ends in `_total`."""
    return Counter(_checked(name, "_total"), documentation, labels, registry=REGISTRY)


def gauge(name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
    """Create and register a Prometheus gauge. Raises ValueError for a name outside the naming scheme."""
    return Gauge(_checked(name), documentation, labels, registry=REGISTRY)


def histogram(name: str, documentation: str, labels: Sequence[str] = (), *, buckets: Sequence[float]) -> Histogram:
    """Create and register a Prometheus histogram of seconds, bytes or records.

    Raises ValueError unless the name ends in `_seconds`, `_bytes` or `_records`.
    """
    return Histogram(
        _checked(name, "_seconds", "_bytes", "_records"), documentation, labels, buckets=buckets, registry=REGISTRY
    )


def render() -> bytes:
    """Return the present values of all metrics in the text format of Prometheus."""
    return generate_latest(REGISTRY)
