"""Commands about what is known: exceptions, proofs, the published file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from amazon_sage_assets import verification
from amazon_sage_assets.cli.output import (
    JsonFlag,
    app,
    out,
    print_exceptions,
    print_json,
    progress_line,
    published,
    speaking_plainly,
)
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import has_sage, sage_client
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.settings import Secrets


@app.command()
def exceptions(as_json: JsonFlag = False) -> None:
    """What is open: what is wrong, where, how much, whose it is and what clears it."""
    with speaking_plainly():
        rows = published(Company.load(), "select * from finance.exceptions")
    if as_json:
        print_json(rows)
    else:
        print_exceptions(rows)


@app.command()
def verify(
    as_json: JsonFlag = False,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask Sage, even where it is connected.")] = False,
) -> None:
    """Prove every invariant again: from the published file, the landed documents and, where connected, Sage itself.

    Exit code 1 shows what fails.
    """
    with speaking_plainly():
        company = Company.load()
        with progress_line() as progress, _sage_or_nothing(company, offline) as client:
            results = verification.verify(company.environment.published_path, company.landing, progress, client)
    failed = [result for result in results if result.failures]
    if as_json:
        print_json([{"check": r.name, "failures": r.failures, "says": r.description} for r in results])
    else:
        for result in results:
            mark = "[red]FAILED[/]" if result.failures else "[green]proven[/]"
            out.print(f"{mark}  {result.description}")
            for failure in result.failures[:20]:
                out.print(f"        {failure}", markup=False)
    raise typer.Exit(1 if failed else 0)


@contextmanager
def _sage_or_nothing(company: Company, offline: bool) -> Iterator[SageClient | None]:
    secrets = Secrets()
    if offline or not has_sage(secrets):
        yield None
        return
    with sage_client(company, secrets) as client:
        yield client


@app.command()
def publish() -> None:
    """Write the file for finance anew."""
    with speaking_plainly():
        company = Company.load()
        company.warehouse.migrate()
        counts = company.warehouse.publish(company.environment.published_path)
    for name, count in counts.items():
        out.print(f"finance.{name}: {count} rows")
    out.print(f"Published for finance: {company.environment.published_path}")
