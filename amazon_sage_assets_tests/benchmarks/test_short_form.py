"""The benchmark in short: it runs, it measures what it says, and it refuses to measure a settlement that fails."""

from pathlib import Path

from amazon_sage_assets_tests.benchmarks.order_scale import measure
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


def test_the_order_benchmark_reads_and_plans_every_order_with_at_most_three_calls_for_a_hundred(tmp_path: Path) -> None:
    found = measure(tmp_path, 300)
    assert found.changed > 300
    assert found.planned >= 300
    assert found.amazon_calls <= 3 * (found.changed / 100 + 1)
