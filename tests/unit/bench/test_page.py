"""Rendering of the benchmarks' page from results, including whether each figure meets its goal."""

import re
from pathlib import Path

import pytest

from tests.bench.figures import Figure, Part, Results, Row, Table, load, save
from tests.bench.page import cell, number, page, table
from tests.bench.peers import STREAMS

PROPERTIES = {"Date": "2026-03-02 08:30 UTC", "Cores": "2"}


def _part(name: str, row: str, rate: float, **more: Figure) -> Part:
    figures = {"events/s": Figure((rate, rate * 2, rate * 3), "events/s"), **more}
    return Part(name, 12.0, (Table(name, (Row(row, figures),), (f"A note on {name}.",)),), (0.1, 0.25))


@pytest.mark.parametrize(
    ("value", "text"), [(0.456, "0.46"), (12.34, "12.3"), (1234.5, "1,234"), (3.0, "3"), (0.0, "0")]
)
def test_number_is_rounded_according_to_its_size(value: float, text: str) -> None:
    """Numbers have two decimal places below 10 and one below 100; from 100 on and for whole numbers they have none."""
    assert number(value) == text


def test_figure_of_several_runs_has_median_minimum_and_maximum() -> None:
    """The order of the runs does not matter."""
    assert cell(Figure((300.0, 100.0, 200.0), "/s")) == "200 (100–300)"


def test_figure_of_a_single_run_has_no_range() -> None:
    """A range would suggest several runs."""
    assert cell(Figure((200.0,), "/s")) == "200"


@pytest.mark.parametrize(
    ("figure", "outcome"),
    [
        (Figure((90.0, 110.0, 95.0), "/s", goal=100.0), "missed"),
        (Figure((100.0,), "/s", goal=100.0), "met"),
        (Figure((120.0,), "ms", goal=100.0, less_is_better=True), "missed"),
        (Figure((80.0,), "ms", goal=100.0, less_is_better=True), "met"),
    ],
)
def test_figure_with_a_goal_shows_whether_it_is_met(figure: Figure, outcome: str) -> None:
    """The median is compared with the goal, not the best run; a figure that misses its goal is shown too."""
    assert cell(figure).endswith(f"; goal 100 {outcome}")


def test_table_has_the_columns_of_all_rows() -> None:
    """A row without a figure for a column shows a dash, not zero."""
    content = Table("t", (Row("one", {"a": Figure((1.0,), "ms")}), Row("two", {"b/s": Figure((2.0,), "b/s")})))
    assert table(content).splitlines() == [
        "|  | a, ms | b/s |",
        "| --- | ---: | ---: |",
        "| one | 1 | – |",
        "| two | – | 2 |",
    ]


def test_skipped_part_shows_the_reason() -> None:
    """The page names the reason for a part without results."""
    text = page(Results(PROPERTIES, (Part("peers", 0.0, skipped="the harness was not found"),)))
    assert "Skipped in this run: the harness was not found." in text


def test_ratio_divides_medians_of_the_same_run() -> None:
    """A ratio is our median divided by the peer's; without a measured peer the section is missing."""
    ours = _part("consumers", "routing", 100.0)
    theirs = _part("peers", STREAMS, 400.0)
    assert f"| routing : {STREAMS} | 0.25 |" in page(Results(PROPERTIES, (ours, theirs)))
    assert "## Ratios" not in page(Results(PROPERTIES, (ours,)))


def test_page_shows_the_load_of_unrelated_processes() -> None:
    """Each part states the minimum and maximum share of the CPU that unrelated processes used."""
    text = page(Results(PROPERTIES, (_part("delivery", "x", 1.0),)))
    assert "Unrelated processes used 10 % to 25 % of the machine's CPU during this part." in text


def test_committed_page_has_the_text_of_the_template() -> None:
    """A changed text of the template is also in docs/benchmarks.md, which is generated only after a full run."""
    root = Path(__file__).parents[3]
    template = re.sub(r"{{.*?}}|{%.*?%}", "", (root / "tests/bench/page.md.j2").read_text(), flags=re.DOTALL)
    committed = (root / "docs/benchmarks.md").read_text().splitlines()
    assert [line for line in template.splitlines() if line not in committed] == []


def test_saved_results_are_loaded_unchanged(tmp_path: Path) -> None:
    """Results loaded from a file equal the results that were saved."""
    results = Results(
        PROPERTIES, (_part("chain", "durable", 10.0, more=Figure((1.0,), "ms", goal=2.0, less_is_better=True)),)
    )
    save(results, tmp_path / "results.json")
    assert load(tmp_path / "results.json") == results
