"""Proving it all again: every invariant of `sql/checks`, on the published file, and every landed document's bytes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from amazon_sage_assets.landing import SETTLEMENT_REPORT, Landing
from amazon_sage_assets.sqlfiles import SqlFile, checks


@dataclass(frozen=True)
class CheckResult:
    """`failures` is empty when the invariant holds, else one sentence per offending row."""

    name: str
    description: str
    failures: list[str]


def run_checks(connection: duckdb.DuckDBPyConnection, files: Iterable[SqlFile]) -> list[CheckResult]:
    """The rows that each check finds wrong on this connection."""
    return [
        CheckResult(check.name, check.description, [str(row[0]) for row in connection.execute(check.sql).fetchall()])
        for check in files
    ]


def verify(published: Path, landing: Landing, progress: Callable[[str], None] = lambda _: None) -> list[CheckResult]:
    """Raises FileNotFoundError when nothing was published."""
    if not published.exists():
        raise FileNotFoundError(2, "not published", str(published))
    progress("checking the published file")
    with duckdb.connect(str(published), read_only=True) as connection:
        results = run_checks(connection, checks())
        used = {row[0] for row in connection.execute("select document_sha256 from finance.settlements").fetchall()}
    broken = []
    for number, sha256 in enumerate(sorted(used), start=1):
        progress(f"checking landed document {number} of {len(used)}")
        try:
            if not landing.intact(SETTLEMENT_REPORT, sha256):
                broken.append(f"the landed document {sha256} is not what was landed")
        except FileNotFoundError:
            broken.append(f"the landed document {sha256} is missing")
    says = "Every landed document still has the bytes that arrived."
    return [*results, CheckResult("landed_documents_intact", says, broken)]
