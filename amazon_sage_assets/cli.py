"""The `amazon-sage` command. It reads arguments and prints; what it does is elsewhere."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from amazon_sage_assets import verification
from amazon_sage_assets.accounting.rules import RuleFileError
from amazon_sage_assets.company import Company
from amazon_sage_assets.landing import SETTLEMENT_REPORT
from amazon_sage_assets.sandbox.settlement_files import write_history
from amazon_sage_assets.settings import SAMPLE_PROFILE, Environment, ProfileError
from amazon_sage_assets.settlements import decisions, flow
from amazon_sage_assets.sqlfiles import StaleRelation
from amazon_sage_assets.warehouse import SchemaMismatch, WarehouseBusy

app = typer.Typer(
    help="Amazon Seller Central to Sage 200: settlements proven to the penny.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
out = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
err = Console(stderr=True, highlight=False)

SOME_NOT_READY = 2
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
By = Annotated[str, typer.Option("--by", help="Your name, kept with the decision.")]

_STATUS_STYLE = {"ready": "green", "held": "yellow", "quarantined": "red"}


@contextmanager
def _speaking_plainly() -> Iterator[None]:
    """Errors that people can act on are one sentence, not a traceback."""
    try:
        yield
    except (
        ProfileError, RuleFileError, WarehouseBusy, SchemaMismatch, StaleRelation, decisions.UnknownDocument
    ) as error:  # fmt: skip
        err.print(f"[bold red]Stopped.[/] {_plain(error)}")
        raise typer.Exit(1) from None
    except FileNotFoundError as error:
        err.print(f"[bold red]Stopped.[/] There is no file {error.filename}.")
        raise typer.Exit(1) from None


def _plain(error: Exception) -> str:
    text = error.args[0] if error.args else error
    return str(text).replace("[", r"\[")


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    with err.status("starting") as status:
        yield status.update


@app.command()
def settle(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Settlement files; none: the inbox, and what rules changed.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="The seller account, where the file does not tell.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would come out and keep nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Land settlement files and work them out up to the posting plan.

    Exit code 0: all ready. 2: at least one is held or quarantined, or cannot be read.
    """
    with _speaking_plainly():
        company = Company.load()
        if account and account not in {a.name for a in company.profile.accounts}:
            raise ProfileError(f"The profile has no account {account!r}.")
        with _scratch_copy(company) if dry_run else _as_it_is(company) as working, _progress() as progress:
            landed = flow.settle(working, files or [], account=account, progress=progress)
            result = _result(working, [document.sha256 for document in landed] if files else None)
            result["published"] = None if dry_run else str(company.environment.published_path)
    if as_json:
        _print_json(result)
    else:
        _print_settlements(result["settlements"])
        _print_exceptions(result["exceptions"])
        if dry_run:
            out.print("Dry run: nothing was kept.")
        else:
            out.print(f"Published for finance: {company.environment.published_path}")
    if result["unreadable"] or any(row["status"] in ("held", "quarantined") for row in result["settlements"]):
        raise typer.Exit(SOME_NOT_READY)


@contextmanager
def _as_it_is(company: Company) -> Iterator[Company]:
    yield company


@contextmanager
def _scratch_copy(company: Company) -> Iterator[Company]:
    """The same company over a copy of its state that is thrown away."""
    home = company.environment.home
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".dry-run-") as folder:
        copied = Company(company.environment.model_copy(update={"home": Path(folder)}), company.profile, company.rules)
        if company.environment.warehouse_path.exists():
            with company.warehouse.connect() as connection:
                connection.execute("checkpoint")
                copied.environment.warehouse_path.parent.mkdir(parents=True)
                shutil.copyfile(company.environment.warehouse_path, copied.environment.warehouse_path)
        if (landed := home / "landed").exists():
            shutil.copytree(landed, Path(folder) / "landed", copy_function=os.link)
        yield copied


def _result(company: Company, sha256s: list[str] | None) -> dict[str, Any]:
    """What a settle run says: about the given documents, or about everything."""
    with company.warehouse.read() as connection:
        known = connection.execute(
            "select document_sha256, account, settlement_id, unreadable_reason from raw.settlement_documents"
            " where document_sha256 not in (select document_sha256 from control.discarded_documents)"
        ).fetchall()
        mine = [row for row in known if sha256s is None or row[0] in sha256s]
        wanted = {(row[1], row[2]) for row in mine if row[2]}
        settlements = [
            row
            for row in _query(connection, "select * from finance.settlements")
            if (row["account"], row["settlement_id"]) in wanted
        ]
        settlement_ids = {row["settlement_id"] for row in settlements}
        documents = {row[0] for row in mine}
        exceptions = [
            row
            for row in _query(connection, "select * from finance.exceptions")
            if row["settlement_id"] in settlement_ids or row["entity_id"] in documents
        ]
        unreadable = [{"document_sha256": row[0], "reason": row[3]} for row in mine if row[3]]
    return {
        "settlements": settlements,
        "unreadable": unreadable,
        "exceptions": exceptions,
    }


@app.command()
def exceptions(as_json: JsonFlag = False) -> None:
    """What is open: what is wrong, where, how much, whose it is and what clears it."""
    with _speaking_plainly():
        rows = _published(Company.load(), "select * from finance.exceptions")
    if as_json:
        _print_json(rows)
    else:
        _print_exceptions(rows)


@app.command()
def verify(as_json: JsonFlag = False) -> None:
    """Prove every invariant again, from the published file and the landed documents. Exit code 1 shows what fails."""
    with _speaking_plainly():
        company = Company.load()
        with _progress() as progress:
            results = verification.verify(company.environment.published_path, company.landing, progress)
    failed = [result for result in results if result.failures]
    if as_json:
        _print_json([{"check": r.name, "failures": r.failures, "says": r.description} for r in results])
    else:
        for result in results:
            mark = "[red]FAILED[/]" if result.failures else "[green]proven[/]"
            out.print(f"{mark}  {result.description}")
            for failure in result.failures[:20]:
                out.print(f"        {failure}", markup=False)
    raise typer.Exit(1 if failed else 0)


@app.command()
def publish() -> None:
    """Write the file for finance anew."""
    with _speaking_plainly():
        company = Company.load()
        company.warehouse.migrate()
        counts = company.warehouse.publish(company.environment.published_path)
    for name, count in counts.items():
        out.print(f"finance.{name}: {count} rows")
    out.print(f"Published for finance: {company.environment.published_path}")


@app.command()
def rebuild() -> None:
    """Work everything out again from the landed documents. What people decided stays."""
    with _speaking_plainly():
        company = Company.load()
        with _progress() as progress:
            flow.rebuild(company, progress)
        _print_settlements(_published(company, "select * from finance.settlements"))


@app.command()
def choose(document: Annotated[str, typer.Argument(help="The beginning of the document's hash.")], by: By) -> None:
    """Of two documents that say different things about one settlement, choose the right one."""
    with _speaking_plainly():
        company = Company.load()
        key = decisions.choose_document(company, document, by, datetime.now(UTC))
        flow.settle(company, [])
    out.print(f"Document {document} now stands for settlement {key}, chosen by {by}.")


@app.command()
def discard(document: Annotated[str, typer.Argument(help="The beginning of the document's hash.")], by: By) -> None:
    """Set an unreadable document aside. Its bytes stay landed."""
    with _speaking_plainly():
        company = Company.load()
        decisions.discard_document(company, document, by, datetime.now(UTC))
        flow.settle(company, [])
    out.print(f"Document {document} was set aside by {by}.")


@app.command()
def demo(
    home: Annotated[Path | None, typer.Option(help="Where the demo keeps its state, else AMAZON_SAGE_HOME.")] = None,
) -> None:
    """Make the sample seller's settlement files, settle them and show what comes out."""
    with _speaking_plainly():
        home = home or Environment().home
        company = Company.load(Environment(home=home, profile=SAMPLE_PROFILE))
        _refuse_other_company(company)
        files = write_history(home / "sample_files")
        out.print(f"Calm Kettle Ltd: settling {len(files)} files from {home / 'sample_files'}\n")
        with _progress() as progress:
            flow.settle(company, files, progress=progress)
        results = verification.verify(company.environment.published_path, company.landing)
    _print_settlements(_published(company, "select * from finance.settlements"))
    first = _published(
        company,
        "select * from finance.journal_lines where settlement_id = (select min(settlement_id)"
        " from finance.settlements where status = 'ready')",
    )
    _print_journal(first)
    _print_exceptions(_published(company, "select * from finance.exceptions"))
    proven = sum(1 for result in results if not result.failures)
    out.print(f"{proven} of {len(results)} invariants proven (`amazon-sage verify` says which).")
    out.print(f"Open the figures: {company.environment.published_path} (DuckDB, schema finance).")


def _refuse_other_company(company: Company) -> None:
    """The demo never mixes its invented settlements with anybody's real ones."""
    with tempfile.TemporaryDirectory() as folder:
        samples = {hashlib.sha256(path.read_bytes()).hexdigest() for path in write_history(Path(folder))}
    if any(document.sha256 not in samples for document in company.landing.documents(SETTLEMENT_REPORT)):
        raise ProfileError(
            f"{company.environment.home} holds settlements that are not the demo's. "
            "Set AMAZON_SAGE_HOME to an empty folder for the demo."
        )


def _published(company: Company, query: str) -> list[dict[str, Any]]:
    path = company.environment.published_path
    if not path.exists():
        raise ProfileError(f"Nothing is published at {path} yet. Run `amazon-sage settle` first.")
    with duckdb.connect(str(path), read_only=True) as connection:
        return _query(connection, query)


def _query(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _print_json(content: Any) -> None:
    """JSON with money and dates as text, so that no program reads pence as floats."""

    def plain(value: Any) -> str:
        if isinstance(value, datetime):
            return value.isoformat(timespec="seconds") + "Z"
        if isinstance(value, date | Decimal | Path):
            return str(value)
        raise TypeError(f"{type(value).__name__} has no JSON form here")

    sys.stdout.write(json.dumps(content, default=plain, indent=1, ensure_ascii=False) + "\n")


def _table(title: str, *columns: tuple[str, str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for name, justify in columns:
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    return table


def _print_settlements(rows: list[dict[str, Any]]) -> None:
    table = _table(
        "Settlements", ("account", "left"), ("settlement", "left"), ("from", "left"), ("to", "left"),
        ("lines", "right"), ("lines total", "right"), ("header total", "right"), ("difference", "right"),
        ("", "left"), ("status", "left"),
    )  # fmt: skip
    for row in rows:
        style = _STATUS_STYLE.get(row["status"], "")
        table.add_row(
            row["account"], row["settlement_id"], f"{row['start_at']:%d %b %Y}", f"{row['end_at']:%d %b %Y}",
            str(row["line_count"]), _amount(row["lines_total"]), _amount(row["header_total"]),
            _amount(row["difference"]), row["currency"], f"[{style}]{row['status']}[/]" if style else row["status"],
        )  # fmt: skip
    _show(table)


def _print_journal(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    table = _table(
        f"Journal of settlement {rows[0]['settlement_id']} ({rows[0]['currency']})", ("period", "left"),
        ("document", "left"), ("nominal", "left"), ("account", "left"), ("VAT", "left"), ("debit", "right"),
        ("credit", "right"),
    )  # fmt: skip
    for row in rows:
        table.add_row(
            row["period"], row["document"], row["nominal_code"], row["account_key"], row["vat_code"] or "",
            _amount(row["debit"]) if row["debit"] else "", _amount(row["credit"]) if row["credit"] else "",
        )  # fmt: skip
    table.add_section()
    debit, credit = (sum((row[side] for row in rows), Decimal(0)) for side in ("debit", "credit"))
    table.add_row("", "", "", "total", "", _amount(debit), _amount(credit))
    _show(table)


def _print_exceptions(rows: list[dict[str, Any]]) -> None:
    if not rows:
        out.print("No exceptions.")
        return
    out.print("[bold]Exceptions[/]")
    for row in rows:
        risk = f", {_amount(row['amount_at_risk'])} {row['currency']}" if row["amount_at_risk"] is not None else ""
        due = f", due {row['due_at']:%d %b %Y}" if row["due_at"] else ""
        blocks = "[red]blocks[/]" if row["blocking"] else "informs"
        out.print(f"[bold]{row['code']}[/]  {blocks}, owner {row['owner']}{risk}{due}")
        out.print(f"    {row['message']}", markup=False)
        out.print(f"    -> {row['action']}", markup=False)
    out.print()


def _amount(value: Decimal) -> str:
    return f"{value:,.2f}"


def _show(table: Table) -> None:
    out.print(table)
    out.print()
