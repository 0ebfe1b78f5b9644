"""Commands about Sage and the bank: fetch, approve, post, rehearse, match."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer

from amazon_sage_assets.cli.output import (
    SOME_NOT_READY,
    By,
    JsonFlag,
    amount,
    app,
    err,
    out,
    print_exceptions,
    print_json,
    progress_line,
    published,
    show,
    speaking_plainly,
    table_of,
)
from amazon_sage_assets.cli.scratch import scratch_copy
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import NotConnected, has_amazon, sage_client
from amazon_sage_assets.payouts.amazon_payouts import read_amazon_payouts
from amazon_sage_assets.payouts.choices import choose_line
from amazon_sage_assets.posting.approval import approve as approve_settlements
from amazon_sage_assets.posting.deliver import Posted
from amazon_sage_assets.posting.deliver import post as post_documents
from amazon_sage_assets.posting.rehearse import rehearse as rehearse_rules
from amazon_sage_assets.settings import Secrets
from amazon_sage_assets.settlements import flow
from amazon_sage_assets.settlements.discovery import fetch_all


@app.command()
def fetch(as_json: JsonFlag = False) -> None:
    """Fetch new settlement reports and payouts from Seller Central, and work out what is new."""
    with speaking_plainly():
        company, secrets = Company.load(), Secrets()
        if not any(has_amazon(secrets, account.name) for account in company.profile.accounts):
            raise NotConnected("No seller account is connected: the environment has no LWA_APP_ID and refresh token.")
        with progress_line() as progress:
            counts = fetch_all(company, datetime.now(UTC), secrets, progress)
            company.warehouse.migrate()
            read_amazon_payouts(company, datetime.now(UTC), secrets, progress)
            flow.settle(company, [], progress=progress)
    if as_json:
        print_json(counts)
    for name, count in {} if as_json else counts.items():
        out.print(f"{name}: {count} new reports")


@app.command()
def approve(
    settlements: Annotated[
        list[str],
        typer.Argument(help="Settlement ids, keys such as uk-24100000011, an Amazon order, `orders` or `refunds`."),
    ],
    by: By,
    as_json: JsonFlag = False,
) -> None:
    """Let documents go to Sage, as they stand now. All that is named, or none of it.

    `refunds` are all credit notes that wait, `orders` all sales orders that wait or were refused.
    """
    with speaking_plainly():
        company = Company.load()
        now = datetime.now(UTC)
        company.warehouse.migrate()
        with company.warehouse.transaction() as connection:
            approvals = approve_settlements(connection, settlements, by, now)
        flow.conclude(company, now)
    if as_json:
        print_json([vars(approval) for approval in approvals])
        return
    for a in approvals:
        out.print(f"{a.settlement_key}: {a.documents} documents, {amount(a.amount)} {a.currency}, "
                  f"approved by {by} (content {a.content_hash[:16]})")  # fmt: skip
    out.print("Send them with `amazon-sage post`.")


@app.command()
def post(as_json: JsonFlag = False) -> None:
    """Send what is approved and due to Sage, prove it, and read the banks.

    Exit code 2: something was rejected, is held, or is not proven yet.
    """
    with speaking_plainly():
        company = Company.load()
        company.warehouse.migrate()
        with progress_line() as progress:
            read_amazon_payouts(company, datetime.now(UTC), progress=progress)
            with sage_client(company) as client:
                posted = post_documents(company, client, progress=progress)
            flow.conclude(company, datetime.now(UTC), progress)
    result = _summary(posted)
    if as_json:
        print_json(result)
    else:
        out.print(", ".join(f"{count} {what}" for what, count in result.items() if isinstance(count, int)) + ".")
        if posted.report.stopped:
            err.print(f"[bold yellow]Stopped early.[/] {posted.report.stopped} Run `amazon-sage post` again later: "
                      "it looks in Sage before it sends anything.")  # fmt: skip
        print_payouts(published(company, "select * from finance.payout_reconciliation"))
        print_exceptions(published(company, "select * from finance.exceptions"))
    report = posted.report
    if report.rejected or report.held or report.unproven or report.stopped:
        raise typer.Exit(SOME_NOT_READY)


def _summary(posted: Posted) -> dict[str, Any]:
    report = posted.report
    return {
        "delivered": len(report.delivered),
        "proven by reading back": len(report.proven),
        "rejected": len(report.rejected),
        "held": len(report.held),
        "already entered by hand": len(report.superseded),
        "not yet proven": len(report.unproven),
        "journal files written": len(posted.journal_files),
        "requests to Sage": posted.requests,
        "stopped": report.stopped,
    }


@app.command()
def rehearse(as_json: JsonFlag = False) -> None:
    """Show what the rules of now would post, for settlements that are in Sage already and for others. Keeps nothing."""
    with speaking_plainly():
        company = Company.load()
        company.warehouse.migrate()
        with progress_line() as progress, scratch_copy(company) as copy:
            progress("working everything out in a copy")
            changes = rehearse_rules(copy)
    if as_json:
        print_json([vars(change) for change in changes])
        return
    if not changes:
        out.print("The rules of now post nothing that is not posted or waiting already.")
    for change in changes:
        mark = "[green]new[/]      " if change.is_new else "[yellow]no longer[/]"
        out.print(f"{mark} {change.remote_reference}  {change.kind}  {change.document_date}  "
                  f"{amount(change.amount)} {change.currency}")  # fmt: skip
        for line in change.lines:
            out.print(f"            {line}", markup=False)


@app.command()
def match(
    settlement: Annotated[str, typer.Argument(help="The settlement whose payout it is.")],
    bank_line: Annotated[str, typer.Argument(help="The id of the line in finance.bank_lines.")],
    by: By,
) -> None:
    """Say which bank line a payout is, where several fit."""
    with speaking_plainly():
        company = Company.load()
        now = datetime.now(UTC)
        with company.warehouse.transaction() as connection:
            key = choose_line(connection, settlement, bank_line, by, now)
        flow.conclude(company, now)
    out.print(f"The payout of settlement {key} is the bank line {bank_line}, said {by}.")


def print_payouts(rows: list[dict[str, Any]]) -> None:
    """The reconciliation: header, journal, Sage, bank."""
    table = table_of(
        "From Amazon's total to the bank", ("account", "left"), ("settlement", "left"), ("header total", "right"),
        ("journal", "right"), ("Sage", "right"), ("payout", "right"), ("bank", "right"), ("difference", "right"),
        ("", "left"), ("payout is", "left"),
    )  # fmt: skip
    for row in rows:
        bank: Decimal | None = row["bank_amount"]
        table.add_row(
            row["account"], row["settlement_id"], amount(row["header_total"]), amount(row["wallet_movement"]),
            amount(row["posted_total"]), amount(row["payout_amount"]), amount(bank) if bank is not None else "",
            amount(row["difference"]), row["currency"], row["status"].removeprefix("payout_").replace("_", " "),
        )  # fmt: skip
    show(table)
