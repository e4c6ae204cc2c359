"""Prometheus metrics: one registry a process, one way of naming.

Names are `motcua_<part>_<what>_<unit>`: counters end in `_total`, times are in seconds, sizes in bytes. Labels have
few values (a topic, a group, a route), never a dossier's id.
Metrics are constants of the module that moves them.
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


def _named(name: str, *endings: str) -> str:
    if not _NAME.match(name) or (endings and not name.endswith(endings)):
        raise ValueError(
            f"{name}: metrics are named motcua_<part>_<what>, ending in {' or '.join(endings) or 'a unit'}"
        )
    return name


def counter(name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
    """A count that only grows; the name ends in `_total`."""
    return Counter(_named(name, "_total"), documentation, labels, registry=REGISTRY)


def gauge(name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
    """A value that goes up and down."""
    return Gauge(_named(name), documentation, labels, registry=REGISTRY)


def histogram(name: str, documentation: str, labels: Sequence[str] = (), *, buckets: Sequence[float]) -> Histogram:
    """A distribution of seconds, bytes or records."""
    return Histogram(
        _named(name, "_seconds", "_bytes", "_records"), documentation, labels, buckets=buckets, registry=REGISTRY
    )


def render() -> bytes:
    """The text that Prometheus scrapes."""
    return generate_latest(REGISTRY)
