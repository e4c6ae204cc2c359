"""The benchmarks' page is made from the results alone, and says of every figure what came of its aim."""

from pathlib import Path

import pytest

from tests.bench.figures import Figure, Part, Results, Row, Table, load, save
from tests.bench.page import cell, number, page, table
from tests.bench.ratios import STREAMS

ABOUT = {"Date": "2026-03-02 08:30 UTC", "Cores": "2"}


def _part(name: str, row: str, rate: float, **more: Figure) -> Part:
    figures = {"events/s": Figure((rate, rate * 2, rate * 3), "events/s"), **more}
    return Part(name, 12.0, (Table(name, (Row(row, figures),), (f"Stands on {name}.",)),), (0.1, 0.25))


@pytest.mark.parametrize(
    ("value", "told"), [(0.456, "0.46"), (12.34, "12.3"), (1234.5, "1,234"), (3.0, "3"), (0.0, "0")]
)
def test_numbers_have_the_digits_that_mean_something(value: float, told: str) -> None:
    """Two digits behind the point below 10, one below 100, none from there on or where there are none."""
    assert number(value) == told


def test_a_figure_is_its_median_between_least_and_most() -> None:
    """The order of the runs means nothing."""
    assert cell(Figure((300.0, 100.0, 200.0), "/s")) == "200 (100–300)"


def test_a_single_run_has_no_spread() -> None:
    """A range of one run would look like a measurement of several."""
    assert cell(Figure((200.0,), "/s")) == "200"


@pytest.mark.parametrize(
    ("figure", "fate"),
    [
        (Figure((90.0, 110.0, 95.0), "/s", aim=100.0), "missed"),
        (Figure((100.0,), "/s", aim=100.0), "met"),
        (Figure((120.0,), "ms", aim=100.0, less_is_better=True), "missed"),
        (Figure((80.0,), "ms", aim=100.0, less_is_better=True), "met"),
    ],
)
def test_a_figure_beside_its_aim_says_whether_it_meets_it(figure: Figure, fate: str) -> None:
    """The median counts, not the best run; and a figure that misses is told like any other."""
    assert cell(figure).endswith(f"; aim 100 {fate}")


def test_a_table_has_every_column_that_any_row_has() -> None:
    """Peers do not all tell the same; what one does not tell is no zero."""
    found = Table("t", (Row("one", {"a": Figure((1.0,), "ms")}), Row("two", {"b/s": Figure((2.0,), "b/s")})))
    assert table(found).splitlines() == [
        "|  | a, ms | b/s |",
        "| --- | ---: | ---: |",
        "| one | 1 | – |",
        "| two | – | 2 |",
    ]


def test_a_part_that_was_left_out_says_why() -> None:
    """Nobody takes silence for a result."""
    told = page(Results(ABOUT, (Part("peers", 0.0, skipped="no harness lies there"),)))
    assert "Left out in this run: no harness lies there." in told


def test_ratios_stand_on_figures_of_the_same_run() -> None:
    """Ours by the peer's, medians by medians; without the peer there is no such line."""
    ours = _part("alone", "routing", 100.0)
    theirs = _part("peers", STREAMS, 400.0)
    assert f"| routing : {STREAMS} | 0.25 |" in page(Results(ABOUT, (ours, theirs)))
    assert "Side by side" not in page(Results(ABOUT, (ours,)))


def test_the_page_tells_what_took_the_machine_meanwhile() -> None:
    """Without it nobody can say what a rate is worth."""
    assert "Others took 10 % to 25 % of the machine's CPU meanwhile." in page(
        Results(ABOUT, (_part("shell", "x", 1.0),))
    )


def test_results_are_kept_whole(tmp_path: Path) -> None:
    """The page can be made again from the file."""
    results = Results(
        ABOUT, (_part("chain", "durable", 10.0, more=Figure((1.0,), "ms", aim=2.0, less_is_better=True)),)
    )
    save(results, tmp_path / "results.json")
    assert load(tmp_path / "results.json") == results
