"""What every command shares: the app, how errors are told, and how figures are printed."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from amazon_sage_assets.accounting.rules import RuleFileError
from amazon_sage_assets.amazon.errors import AmazonError
from amazon_sage_assets.amazon.library_logs import keep_secrets_out
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import NotConnected
from amazon_sage_assets.payouts.choices import UnknownLine
from amazon_sage_assets.posting.approval import CannotApprove
from amazon_sage_assets.sage.outcomes import SageError
from amazon_sage_assets.sandbox.servers import PortTaken
from amazon_sage_assets.settings import ProfileError
from amazon_sage_assets.settlements.decisions import UnknownDocument
from amazon_sage_assets.sqlfiles import StaleRelation
from amazon_sage_assets.turn import AlreadyPosting
from amazon_sage_assets.warehouse import NotEncrypted, SchemaMismatch, WarehouseBusy

FOR_PEOPLE = (
    ProfileError, RuleFileError, WarehouseBusy, SchemaMismatch, StaleRelation, UnknownDocument, UnknownLine,
    NotConnected, CannotApprove, AlreadyPosting, SageError, AmazonError, PortTaken, NotEncrypted,
)  # fmt: skip

app = typer.Typer(
    help="Amazon Seller Central to Sage 200: settlements proven to the penny.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
out = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
err = Console(stderr=True, highlight=False, soft_wrap=True)

SOME_NOT_READY = 2
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
By = Annotated[str, typer.Option("--by", help="Your name, kept with the decision.")]

_STATUS_STYLE = {
    "quarantined": "red", "held": "yellow", "ready": "green", "approved": "green", "posting": "yellow",
    "posted": "green",
}  # fmt: skip


@contextmanager
def speaking_plainly() -> Iterator[None]:
    """Errors that people can act on are one sentence, not a traceback."""
    keep_secrets_out()
    try:
        yield
    except FOR_PEOPLE as error:
        err.print(f"[bold red]Stopped.[/] {plain_words(error)}")
        raise typer.Exit(1) from None
    except FileNotFoundError as error:
        err.print(f"[bold red]Stopped.[/] There is no file {error.filename}.")
        raise typer.Exit(1) from None


def plain_words(error: Exception) -> str:
    text = error.args[0] if error.args else error
    return str(text).replace("[", r"\[")


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    with err.status("starting") as status:
        yield status.update


def published(company: Company, sql: str) -> list[dict[str, Any]]:
    path = company.environment.published_path
    if not path.exists():
        raise ProfileError(f"Nothing is published at {path} yet. Run `amazon-sage settle` first.")
    with duckdb.connect(str(path), read_only=True) as connection:
        return query(connection, sql)


def query(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def print_json(content: Any) -> None:
    """JSON with money and dates as text, so that no program reads pence as floats."""

    def plain(value: Any) -> str:
        if isinstance(value, datetime):
            return value.isoformat(timespec="seconds") + "Z"
        if isinstance(value, date | Decimal | Path):
            return str(value)
        raise TypeError(f"{type(value).__name__} has no JSON form here")

    sys.stdout.write(json.dumps(content, default=plain, indent=1, ensure_ascii=False) + "\n")


def table_of(title: str, *columns: tuple[str, str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for name, justify in columns:
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    return table


def print_settlements(rows: list[dict[str, Any]]) -> None:
    table = table_of(
        "Settlements", ("account", "left"), ("settlement", "left"), ("from", "left"), ("to", "left"),
        ("lines", "right"), ("lines total", "right"), ("header total", "right"), ("difference", "right"),
        ("", "left"), ("status", "left"),
    )  # fmt: skip
    for row in rows:
        style = _STATUS_STYLE.get(row["status"], "")
        table.add_row(
            row["account"], row["settlement_id"], f"{row['start_at']:%d %b %Y}", f"{row['end_at']:%d %b %Y}",
            str(row["line_count"]), amount(row["lines_total"]), amount(row["header_total"]),
            amount(row["difference"]), row["currency"], f"[{style}]{row['status']}[/]" if style else row["status"],
        )  # fmt: skip
    show(table)


def print_journal(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    table = table_of(
        f"Journal of settlement {rows[0]['settlement_id']} ({rows[0]['currency']})", ("period", "left"),
        ("document", "left"), ("nominal", "left"), ("account", "left"), ("VAT", "left"), ("debit", "right"),
        ("credit", "right"),
    )  # fmt: skip
    for row in rows:
        table.add_row(
            row["period"], row["document"], row["nominal_code"], row["account_key"], row["vat_code"] or "",
            amount(row["debit"]) if row["debit"] else "", amount(row["credit"]) if row["credit"] else "",
        )  # fmt: skip
    table.add_section()
    debit, credit = (sum((row[side] for row in rows), Decimal(0)) for side in ("debit", "credit"))
    table.add_row("", "", "", "total", "", amount(debit), amount(credit))
    show(table)


def print_exceptions(rows: list[dict[str, Any]]) -> None:
    if not rows:
        out.print("No exceptions.")
        return
    out.print("[bold]Exceptions[/]")
    for row in rows:
        risk = f", {amount(row['amount_at_risk'])} {row['currency']}" if row["amount_at_risk"] is not None else ""
        due = f", due {row['due_at']:%d %b %Y}" if row["due_at"] else ""
        blocks = "[red]blocks[/]" if row["blocking"] else "informs"
        out.print(f"[bold]{row['code']}[/]  {blocks}, owner {row['owner']}{risk}{due}")
        out.print(f"    {row['message']}", markup=False)
        out.print(f"    -> {row['action']}", markup=False)
    out.print()


def amount(value: Decimal) -> str:
    return f"{value:,.2f}"


def show(table: Table) -> None:
    out.print(table)
    out.print()
