"""Proving it all again: every invariant of `sql/checks`, on the published file, and every landed document's bytes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from amazon_sage_assets.landing import SETTLEMENT_REPORT, Landing
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.proof import Posting, can_be_shown, prove
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


def verify(
    published: Path,
    landing: Landing,
    progress: Callable[[str], None] = lambda _: None,
    sage: SageClient | None = None,
) -> list[CheckResult]:
    """Raises FileNotFoundError when nothing was published. Where `sage` is given, Sage itself is asked, too."""
    if not published.exists():
        raise FileNotFoundError(2, "not published", str(published))
    progress("checking the published file")
    with duckdb.connect(str(published), read_only=True) as connection:
        results = run_checks(connection, checks())
        delivered = connection.execute(
            "select remote_reference, kind, amount, currency from finance.postings"
            " where status = 'delivered' and system = 'sage' order by remote_reference"
        ).fetchall()
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
    results.append(CheckResult("landed_documents_intact", says, broken))
    if sage:
        delivered = [row for row in delivered if can_be_shown(row[1])]
        progress(f"asking Sage for {len(delivered)} documents")
        failures = prove(sage, (Posting(*row) for row in delivered))
        says = f"Sage itself shows each of the {len(delivered)} delivered documents once, with its amount."
        results.append(CheckResult("sage_shows_each_document_once", says, failures))
    return results
