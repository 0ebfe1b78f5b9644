"""File to journal at scale, against DuckDB alone reading the same file to typed rows and adding up by triple.

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
from pathlib import Path

import duckdb

from amazon_sage_assets.amazon.settlement_report import V2_COLUMNS
from amazon_sage_assets.sandbox.settlement_files import large, write
from amazon_sage_assets.settings import SAMPLE_PROFILE, Environment
from amazon_sage_assets.settlement_flow import Company, derive, land_report, refresh

DEFAULT_LINES = 1_000_000
ROUNDS = 3


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
    company = Company.load(Environment(home=folder / "home", profile=SAMPLE_PROFILE))
    company.warehouse.migrate()
    land_report(company, report, "file")
    for key in refresh(company):
        with company.warehouse.transaction() as connection:
            derive(connection, company, key)
    with company.warehouse.read() as connection:
        ((status,),) = connection.execute("select status from finance.settlements").fetchall()
        ((count,),) = connection.execute("select count(*) from core.core__settlement_lines").fetchall()
        ((journal,),) = connection.execute("select count(*) from finance.journal_lines").fetchall()
    if status != "ready" or not journal:
        raise SystemExit(f"the settlement is {status} with {journal} journal lines; nothing was measured")
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


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        start = time.perf_counter()
        MEASURED[sys.argv[2]](Path(sys.argv[3]), Path(sys.argv[4]))
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps({"wall": seconds, "peak_mb": peak}) + "\n")
    else:
        main([int(size) for size in sys.argv[1:]] or [DEFAULT_LINES])
