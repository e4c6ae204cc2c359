"""Figures of one run beside each other: ours by a peer's or a limit's. Those alone hold on another machine."""

from tests.bench import delivery_rates
from tests.bench.figures import Figure, Results, Row

STREAMS = "Kafka Streams, exactly once, RocksDB"
WARM = "events/s, first 50,000 left out"
_PAIRS = (
    (("alone", "routing"), ("peers", STREAMS)),
    (("shell", delivery_rates.TOLD), ("peers", STREAMS)),
    (("shell", delivery_rates.TOLD), ("peers", "aiokafka and asyncpg, a transaction a partition, with its relay")),
    (("alone", "routing"), ("peers", "Faust, take(500) and one transaction a batch")),
    (("alone", "routing"), ("peers", "Faust, table and send")),
    (("alone", "routing"), ("shell", delivery_rates.TOLD)),
    (("shell", delivery_rates.TOLD), ("shell", delivery_rates.DECODED)),
    (("shell", delivery_rates.DECODED), ("shell", delivery_rates.CLIENT_ALONE)),
)


def ratios(results: Results) -> tuple[Row, ...]:
    """Each pair of which both were measured: events a second, and CPU an event, of the first by the second."""
    rows = []
    for ours, theirs in _PAIRS:
        mine, other = _found(results, *ours), _found(results, *theirs)
        if mine is None or other is None:
            continue
        figures = {}
        for name, column in (("events/s", "events/s"), ("CPU an event", "CPU an event")):
            if column in mine.figures and column in other.figures:
                figures[name] = _by(mine.figures[column], other.figures[column])
        if WARM in other.figures:
            figures["events/s, the peer warm"] = _by(mine.figures["events/s"], other.figures[WARM])
        rows.append(Row(f"{mine.name} : {other.name}", figures))
    return tuple(rows)


def _by(mine: Figure, other: Figure) -> Figure:
    return Figure((mine.middle / other.middle,), "")


def _found(results: Results, part: str, row: str) -> Row | None:
    tables = [table for found in results.parts if found.name == part for table in found.tables]
    return next((one for table in tables for one in table.rows if one.name == row), None)
