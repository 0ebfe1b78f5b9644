"""The benchmark in short: it runs, it measures what it says, and it refuses to measure a settlement that fails."""

from pathlib import Path

from amazon_sage_assets_tests.benchmarks.settlement_files import large, write
from amazon_sage_assets_tests.benchmarks.settlement_scale import floor, flow, growth


def test_both_sides_of_the_benchmark_read_the_same_lines(tmp_path: Path) -> None:
    report = tmp_path / "large.txt"
    count = write(large(5_000), report)
    assert floor(report, tmp_path) == flow(report, tmp_path) == count


def test_the_growth_drill_works_settlements_out_one_after_the_other() -> None:
    first, last = growth(settlements=3, orders=10)
    assert first > 0
    assert last > 0
