"""File to journal at scale, against DuckDB alone reading the same file to typed rows and adding up by triple.

And what the 261st settlement costs beside the first: relations are replaced per settlement, so it should be the same.

Run it as `make bench`, or with other sizes: `python -m amazon_sage_assets_tests.benchmarks.settlement_scale 1000000
10000000`. Each measurement is a process of its own; the two take turns. What counts is the ratio of their medians.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from amazon_sage_assets.amazon.settlement_report import V2_COLUMNS
from amazon_sage_assets.company import Company
from amazon_sage_assets.settings import SAMPLE_PROFILE, Environment
from amazon_sage_assets.settlements.arrivals import land_and_examine
from amazon_sage_assets.settlements.derivation import derive
from amazon_sage_assets.settlements.flow import refresh
from amazon_sage_assets_tests.benchmarks.settlement_files import SampleSettlement, large, write

DEFAULT_LINES = 1_000_000
ROUNDS = 3


def prepare(folder: Path) -> Company:
    """A company with an empty warehouse; making it is no part of what is measured."""
    company = Company.load(Environment(home=folder / "home", profile=SAMPLE_PROFILE))
    company.warehouse.migrate()
    return company


def floor(report: Path, folder: Path) -> int:
    """DuckDB alone: the file to a typed table on disk, then the sum of each triple. Returns the lines read."""
    columns = {name.replace("-", "_"): "varchar" for name in V2_COLUMNS}
    columns |= {"amount": "decimal(18, 2)", "quantity_purchased": "integer"}
    with duckdb.connect(str(folder / "floor.duckdb")) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.read_csv(
            str(report), header=True, sep="\t", quotechar="", escapechar="", columns=columns, auto_detect=False
        ).create_view("report")
        connection.execute(
            "create table lines as select * replace (strptime(posted_date_time, '%d.%m.%Y %H:%M:%S UTC')"
            " as posted_date_time, strptime(posted_date, '%d.%m.%Y') as posted_date) from report"
        )
        connection.execute(
            "select transaction_type, amount_type, amount_description, sum(amount), count(*) from lines group by all"
        ).fetchall()
        connection.execute("checkpoint")
        ((count,),) = connection.execute("select count(*) from lines").fetchall()
    return int(count) - 1


def flow(report: Path, folder: Path) -> int:
    """The product: landed, laid out, typed, validated, classified, journal and plan. Returns the lines booked."""
    company = prepare(folder)
    for key in refresh(company, [land_and_examine(company, report, "file")]):
        with company.warehouse.transaction() as connection:
            derive(connection, company, key)
    with company.warehouse.read() as connection:
        ((count,),) = connection.execute("select count(*) from core.core__settlement_lines").fetchall()
        ((balance,),) = connection.execute("select sum(debit) - sum(credit) from core.core__journal_lines").fetchall()
        ((planned,),) = connection.execute("select count(*) from core.planned_documents").fetchall()
    if balance != 0 or not planned:
        raise SystemExit(f"{count} lines gave {planned} documents and a balance of {balance}; nothing was measured")
    return int(count)


MEASURED: dict[str, Callable[[Path, Path], int]] = {"floor": floor, "flow": flow}


def measure(name: str, report: Path) -> dict[str, float]:
    """Wall seconds without imports, and peak MB of the process."""
    with tempfile.TemporaryDirectory(dir=report.parent) as folder:
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, "--measure", name, str(report), folder],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def growth(settlements: int, orders: int) -> tuple[float, float]:
    """Seconds to work out a settlement: the median of the first twenty and of the last twenty of so many."""
    seconds = []
    with tempfile.TemporaryDirectory() as name:
        company = prepare(Path(name))
        report = Path(name) / "report.txt"
        start = datetime(2016, 1, 1)
        for number in range(settlements):
            moment = start + timedelta(days=14 * number)
            write(SampleSettlement(f"26{number:09d}", moment, seed=number, orders=orders, filename="r.txt"), report)
            begun = time.perf_counter()
            for key in refresh(company, [land_and_examine(company, report, "file")]):
                with company.warehouse.transaction() as connection:
                    derive(connection, company, key)
            seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[1:21]), statistics.median(seconds[-20:])


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            report = Path(folder) / f"{size}.txt"
            count = write(large(size), report)
            megabytes = report.stat().st_size / 1e6
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in MEASURED}
            for _ in range(ROUNDS if size <= DEFAULT_LINES else 1):
                for name in MEASURED:
                    runs[name].append(measure(name, report))
            wall = {name: statistics.median(run["wall"] for run in found) for name, found in runs.items()}
            peak = {name: max(run["peak_mb"] for run in found) for name, found in runs.items()}
            sys.stdout.write(
                f"{count} lines, {megabytes:.0f} MB: DuckDB alone {wall['floor']:.2f} s {peak['floor']:.0f} MB,"
                f" file to journal {wall['flow']:.2f} s {peak['flow']:.0f} MB,"
                f" ratio {wall['flow'] / wall['floor']:.2f}\n"
            )
            sys.stdout.flush()
            report.unlink()
    first, last = growth(settlements=261, orders=400)
    sys.stdout.write(f"261 settlements of 2,000 lines: the first take {first:.2f} s each, the last {last:.2f} s,")
    sys.stdout.write(f" ratio {last / first:.2f}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        prepare(Path(sys.argv[4]))
        start = time.perf_counter()
        MEASURED[sys.argv[2]](Path(sys.argv[3]), Path(sys.argv[4]))
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps({"wall": seconds, "peak_mb": peak}) + "\n")
    else:
        main([int(size) for size in sys.argv[1:]] or [DEFAULT_LINES])
