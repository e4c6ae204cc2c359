"""Ratios between figures of the same run, ours divided by a peer's. Only ratios apply to other machines."""

from tests.bench import delivery_rates, peers
from tests.bench.figures import Figure, Results, Row

_ROUTING = ("consumers", "routing")
_PUBLISHING = ("delivery", delivery_rates.PUBLISHING)
_DECODING = ("delivery", delivery_rates.DECODING)
_PAIRS = (
    (_ROUTING, ("peers", peers.STREAMS)),
    (_PUBLISHING, ("peers", peers.STREAMS)),
    (_PUBLISHING, ("peers", peers.AIOKAFKA)),
    (_ROUTING, ("peers", peers.FAUST_TAKE)),
    (_ROUTING, ("peers", peers.FAUST_TABLE)),
    (_ROUTING, _PUBLISHING),
    (_PUBLISHING, _DECODING),
    (_DECODING, ("delivery", delivery_rates.CLIENT_ONLY)),
)


def ratios(results: Results) -> tuple[Row, ...]:
    """Divide events per second and CPU per event of the first by the second, for each pair that was measured."""
    rows = []
    for our_place, their_place in _PAIRS:
        ours, theirs = _row(results, *our_place), _row(results, *their_place)
        if ours is None or theirs is None:
            continue
        figures: dict[str, Figure] = {}
        for column in ("events/s", "CPU per event"):
            if column in ours.figures and column in theirs.figures:
                figures[column] = _ratio(ours.figures[column], theirs.figures[column])
        if peers.WARM in theirs.figures:
            figures["events/s, warm peer"] = _ratio(ours.figures["events/s"], theirs.figures[peers.WARM])
        rows.append(Row(f"{ours.name} : {theirs.name}", figures))
    return tuple(rows)


def _ratio(ours: Figure, theirs: Figure) -> Figure:
    return Figure((ours.median / theirs.median,), "")


def _row(results: Results, part: str, name: str) -> Row | None:
    tables = [table for measured in results.parts if measured.name == part for table in measured.tables]
    return next((row for table in tables for row in table.rows if row.name == name), None)
